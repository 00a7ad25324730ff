use crate::DataError;
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
        let stride = height * width * Self::CHANNELS;
        if stride == 0 || data.len() % stride != 0 {
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
}

impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Images({} x {} x {})", self.n, self.height, self.width)
    }
}
