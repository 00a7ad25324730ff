use super::NpyError;

/// Turns the bytes of whole elements into numbers.
pub(super) type Decode<T> = fn(&[u8], &mut Vec<T>);

/// A number that files are read as.
pub(super) trait Element: Copy + Default {
    /// Bytes of an element in the file and how to decode it, for numpy's name of the type.
    fn decoder(descr: &str) -> Result<(usize, Decode<Self>), NpyError>;

    /// The value as it is shown when it is not finite.
    fn not_finite(self) -> Option<f32>;
}

/// `decode!(f64 => f32, le)`: reads little-endian `f64`, gives `f32`.
macro_rules! decode {
    ($from:ty => $to:ty, $order:ident) => {{
        let decode: Decode<$to> = |bytes, out| {
            let elements = bytes.as_chunks::<{ size_of::<$from>() }>().0;
            out.extend(elements.iter().map(|b| <$from>::$order(*b) as $to));
        };
        Ok((size_of::<$from>(), decode))
    }};
}

macro_rules! float {
    ($to:ty) => {
        impl Element for $to {
            fn decoder(descr: &str) -> Result<(usize, Decode<Self>), NpyError> {
                match descr {
                    "<f4" => decode!(f32 => $to, from_le_bytes),
                    ">f4" => decode!(f32 => $to, from_be_bytes),
                    "<f8" => decode!(f64 => $to, from_le_bytes),
                    ">f8" => decode!(f64 => $to, from_be_bytes),
                    _ => Err(NpyError::Dtype {
                        found: descr.to_owned(),
                        expected: "float32 or float64 (convert with .astype('float32'))",
                    }),
                }
            }

            fn not_finite(self) -> Option<f32> {
                (!self.is_finite()).then_some(self as f32)
            }
        }
    };
}

float!(f32);
float!(f64);

impl Element for i64 {
    fn decoder(descr: &str) -> Result<(usize, Decode<Self>), NpyError> {
        match descr {
            "<i8" => decode!(i64 => i64, from_le_bytes),
            ">i8" => decode!(i64 => i64, from_be_bytes),
            "<i4" => decode!(i32 => i64, from_le_bytes),
            ">i4" => decode!(i32 => i64, from_be_bytes),
            "<i2" => decode!(i16 => i64, from_le_bytes),
            ">i2" => decode!(i16 => i64, from_be_bytes),
            "<u4" => decode!(u32 => i64, from_le_bytes),
            ">u4" => decode!(u32 => i64, from_be_bytes),
            "<u2" => decode!(u16 => i64, from_le_bytes),
            ">u2" => decode!(u16 => i64, from_be_bytes),
            "|i1" => decode!(i8 => i64, from_le_bytes),
            "|u1" => decode!(u8 => i64, from_le_bytes),
            _ => Err(NpyError::Dtype {
                found: descr.to_owned(),
                expected: "int64 or a narrower integer (convert with .astype('int64'))",
            }),
        }
    }

    fn not_finite(self) -> Option<f32> {
        None
    }
}

impl Element for u8 {
    fn decoder(descr: &str) -> Result<(usize, Decode<Self>), NpyError> {
        if descr != "|u1" {
            let expected = "uint8 (convert with .astype('uint8'))";
            return Err(NpyError::Dtype { found: descr.to_owned(), expected });
        }
        Ok((1, |bytes, out| out.extend_from_slice(bytes)))
    }

    fn not_finite(self) -> Option<f32> {
        None
    }
}
