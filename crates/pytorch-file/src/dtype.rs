/// Element types of tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dtype {
    /// `torch.float64`
    F64,
    /// `torch.float32`
    F32,
    /// `torch.float16`
    F16,
    /// `torch.bfloat16`
    Bf16,
    /// `torch.int64`
    I64,
    /// `torch.int32`
    I32,
    /// `torch.int16`
    I16,
    /// `torch.int8`
    I8,
    /// `torch.uint8`
    U8,
    /// `torch.bool`, a byte each
    Bool,
    /// `torch.complex64`
    C64,
    /// `torch.complex128`
    C128,
}

/// Every type: `PyTorch`'s name of it, of its storage, bytes of an element.
const TABLE: &[(Dtype, &str, &str, usize)] = &[
    (Dtype::F64, "float64", "DoubleStorage", 8),
    (Dtype::F32, "float32", "FloatStorage", 4),
    (Dtype::F16, "float16", "HalfStorage", 2),
    (Dtype::Bf16, "bfloat16", "BFloat16Storage", 2),
    (Dtype::I64, "int64", "LongStorage", 8),
    (Dtype::I32, "int32", "IntStorage", 4),
    (Dtype::I16, "int16", "ShortStorage", 2),
    (Dtype::I8, "int8", "CharStorage", 1),
    (Dtype::U8, "uint8", "ByteStorage", 1),
    (Dtype::Bool, "bool", "BoolStorage", 1),
    (Dtype::C64, "complex64", "ComplexFloatStorage", 8),
    (Dtype::C128, "complex128", "ComplexDoubleStorage", 16),
];

/// Storages without an element type of ours, and their bytes per element: they are skipped, not read.
const OTHER_STORAGES: &[(&str, usize)] = &[
    ("UntypedStorage", 1),
    ("QUInt8Storage", 1),
    ("QInt8Storage", 1),
    ("QInt32Storage", 4),
    ("QUInt4x2Storage", 1),
    ("QUInt2x4Storage", 1),
];

impl Dtype {
    fn row(self) -> &'static (Self, &'static str, &'static str, usize) {
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[0])
    }

    /// `PyTorch`'s name, for instance `float32`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Bytes of an element.
    pub fn size(self) -> usize {
        self.row().3
    }

    /// Name of the class of its storages in module `torch`.
    pub(crate) fn storage(self) -> &'static str {
        self.row().2
    }

    /// Bytes that change places between byte orders: an element, or a part of a complex number.
    pub(crate) fn word(self) -> usize {
        if matches!(self, Self::C64 | Self::C128) { self.size() / 2 } else { self.size() }
    }

    /// The type of `torch.NAME`.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Element type, when it is one of ours, and bytes per element of a storage class.
    pub(crate) fn of_storage(class: &str) -> Option<(Option<Self>, usize)> {
        let ours = TABLE.iter().find(|row| row.2 == class).map(|row| (Some(row.0), row.3));
        ours.or_else(|| OTHER_STORAGES.iter().find(|row| row.0 == class).map(|row| (None, row.1)))
    }
}

impl std::fmt::Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_row() {
        for (dtype, name, storage, size) in TABLE {
            assert_eq!((dtype.name(), dtype.storage(), dtype.size()), (*name, *storage, *size));
            assert_eq!(Dtype::of_name(name), Some(*dtype));
            assert_eq!(Dtype::of_storage(storage), Some((Some(*dtype), *size)));
        }
        assert_eq!(Dtype::of_storage("QInt32Storage"), Some((None, 4)));
        assert_eq!((Dtype::C64.word(), Dtype::F16.word()), (4, 2));
        assert!(Dtype::of_storage("os.system").is_none());
    }
}
