use crate::{Dtype, PytorchFileError};

/// A tensor of a state dict with its own copy of its elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTensor {
    /// Its name, for instance `features.conv0.weight`.
    pub name: String,
    /// Type of its elements.
    pub dtype: Dtype,
    /// Extent of each dimension; empty for a single number.
    pub shape: Vec<usize>,
    /// Its elements, little-endian, the last index fastest.
    pub data: Vec<u8>,
}

impl NamedTensor {
    /// Number of elements that the shape promises; none when it is beyond all memory.
    pub fn numel(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |product, n| product.checked_mul(*n))
    }

    /// Checks that there are as many bytes as shape and type say.
    pub(crate) fn check(&self) -> Result<(), PytorchFileError> {
        let expected = self.numel().and_then(|n| n.checked_mul(self.dtype.size()));
        if expected == Some(self.data.len()) {
            return Ok(());
        }
        let (got, dtype, shape) = (self.data.len(), self.dtype, &self.shape);
        let why = format!("has {got} bytes, which is no {dtype} of shape {shape:?}");
        Err(PytorchFileError::Given { name: self.name.clone(), why })
    }

    /// Its elements as `f32`: rounded when they do not fit, `bool` as 0 and 1.
    ///
    /// # Errors
    /// [`PytorchFileError::Given`] when they are complex, or are not as many as the shape says.
    pub fn to_f32(&self) -> Result<Vec<f32>, PytorchFileError> {
        self.check()?;
        Ok(match self.dtype {
            Dtype::F32 => self.numbers(f32::from_le_bytes),
            Dtype::F64 => self.numbers(|b| f64::from_le_bytes(b) as f32),
            Dtype::F16 => self.numbers(|b| half::f16::from_le_bytes(b).to_f32()),
            Dtype::Bf16 => self.numbers(|b| half::bf16::from_le_bytes(b).to_f32()),
            Dtype::I64 => self.numbers(|b| i64::from_le_bytes(b) as f32),
            Dtype::I32 => self.numbers(|b| i32::from_le_bytes(b) as f32),
            Dtype::I16 => self.numbers(|b| f32::from(i16::from_le_bytes(b))),
            Dtype::I8 => self.numbers(|b| f32::from(i8::from_le_bytes(b))),
            Dtype::U8 => self.numbers(|[b]| f32::from(b)),
            Dtype::Bool => self.numbers(|[b]| f32::from(u8::from(b != 0))),
            Dtype::C64 | Dtype::C128 => {
                let why = format!("holds {}, which is not one number per element", self.dtype);
                return Err(PytorchFileError::Given { name: self.name.clone(), why });
            }
        })
    }

    fn numbers<const N: usize>(&self, decode: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        self.data.as_chunks::<N>().0.iter().map(|bytes| decode(*bytes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dtype: Dtype, shape: &[usize], data: &[u8]) -> NamedTensor {
        NamedTensor { name: "x".to_owned(), dtype, shape: shape.to_vec(), data: data.to_vec() }
    }

    #[test]
    fn every_type_becomes_f32() {
        let one = |dtype, data: &[u8]| tensor(dtype, &[1], data).to_f32().unwrap()[0];
        assert_eq!(one(Dtype::F64, &0.1f64.to_le_bytes()), 0.1);
        assert_eq!(one(Dtype::F32, &(-0.1f32).to_le_bytes()), -0.1);
        assert_eq!(one(Dtype::F16, &[0x01, 0x00]), 2f32.powi(-24), "the smallest f16");
        assert_eq!(one(Dtype::F16, &[0xff, 0x7b]), 65504.0, "the largest f16");
        assert_eq!(one(Dtype::Bf16, &[0x80, 0xbf]), -1.0);
        assert_eq!(one(Dtype::I64, &(-5i64).to_le_bytes()), -5.0);
        assert_eq!(one(Dtype::I32, &7i32.to_le_bytes()), 7.0);
        assert_eq!(one(Dtype::I16, &(-7i16).to_le_bytes()), -7.0);
        assert_eq!(one(Dtype::I8, &[0xff]), -1.0);
        assert_eq!(one(Dtype::U8, &[0xff]), 255.0);
        assert_eq!(one(Dtype::Bool, &[2]), 1.0);
        assert!(tensor(Dtype::C64, &[1], &[0; 8]).to_f32().is_err());
        assert!(one(Dtype::F16, &[0x00, 0x7e]).is_nan());
    }

    #[test]
    fn bytes_and_shape_must_agree() {
        assert_eq!(tensor(Dtype::F32, &[], &[0; 4]).to_f32().unwrap(), [0.0]);
        assert!(tensor(Dtype::F32, &[0, 3], &[]).to_f32().unwrap().is_empty());
        assert!(tensor(Dtype::F32, &[2], &[0; 4]).to_f32().is_err());
        assert!(tensor(Dtype::F32, &[usize::MAX, 2], &[0; 4]).to_f32().is_err());
    }
}
