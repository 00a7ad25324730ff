use crate::DataError;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Pictures of one size as `uint8` RGB, `n x height x width x 3` in C order (NHWC), shared without copying.
#[derive(Clone)]
pub struct Images {
    data: Arc<Vec<u8>>,
    n: usize,
    height: usize,
    width: usize,
}

impl Images {
    /// Number of colour channels: red, green, blue.
    pub const CHANNELS: usize = 3;

    /// Takes `n * height * width * 3` bytes.
    ///
    /// # Errors
    /// When the bytes are not a whole number of pictures, or a side is 0.
    pub fn new(data: Vec<u8>, height: usize, width: usize) -> Result<Self, DataError> {
        let stride = height.checked_mul(width).and_then(|n| n.checked_mul(Self::CHANNELS)).unwrap_or(0);
        if stride == 0 || !data.len().is_multiple_of(stride) {
            return Err(DataError::Shape { bytes: data.len(), height, width });
        }
        Ok(Self { n: data.len() / stride, data: Arc::new(data), height, width })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Rows of a picture.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of a picture.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes of one picture.
    pub fn stride(&self) -> usize {
        self.height * self.width * Self::CHANNELS
    }

    /// One picture, `height x width x 3`.
    pub fn get(&self, i: usize) -> &[u8] {
        &self.data[i * self.stride()..(i + 1) * self.stride()]
    }

    /// All pictures, one after the other.
    pub fn as_slice(&self) -> &[u8] {
        &self.data
    }

    /// The chosen pictures, in the given order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let data = rows.iter().flat_map(|&i| self.get(i).iter().copied()).collect();
        Self { data: Arc::new(data), n: rows.len(), height: self.height, width: self.width }
    }

    /// SHA-256 of size and pixels: equal for equal pictures only. Names the pictures in a cache.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for side in [self.n, self.height, self.width] {
            hash.update((side as u64).to_le_bytes());
        }
        hash.update(&*self.data);
        hash.finalize().into()
    }
}

impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Images({} x {} x {})", self.n, self.height, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_knows_pixels_size_and_order() {
        let data: Vec<u8> = (0..2 * 4 * 6 * 3).map(|i| i as u8).collect();
        let a = Images::new(data.clone(), 4, 6).unwrap();
        assert_eq!(a.fingerprint(), Images::new(data.clone(), 4, 6).unwrap().fingerprint());
        assert_ne!(a.fingerprint(), Images::new(data.clone(), 6, 4).unwrap().fingerprint());
        assert_ne!(a.fingerprint(), a.select(&[1, 0]).fingerprint());
        let mut other = data;
        other[5] ^= 1;
        assert_ne!(a.fingerprint(), Images::new(other, 4, 6).unwrap().fingerprint());
    }

    #[test]
    fn bytes_that_are_no_pictures_are_refused() {
        assert!(Images::new(vec![0; 11], 2, 2).is_err());
        assert!(Images::new(vec![0; 12], 0, 2).is_err());
        // sides whose product overflows
        assert!(Images::new(vec![0; 12], usize::MAX, 2).is_err());
    }
}
