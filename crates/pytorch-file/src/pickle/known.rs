use crate::Dtype;

/// The names that mean something here. All others are only names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    OrderedDict,
    Set,
    Bytes,
    Encode,
    /// Storage, offset, shape and strides, then what is of no interest.
    RebuildTensor,
    /// As `RebuildTensor`, with the element type as seventh argument.
    RebuildTensorV3,
    RebuildParameter,
    Size,
    Device,
    NumpyScalar,
    NumpyDtype,
    Dtype(Dtype),
    /// Element type, when it is one of ours, and bytes per element.
    Storage(Option<Dtype>, u8),
}

impl Known {
    /// The meaning of a name, if it has one.
    pub(super) fn of(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("builtins" | "__builtin__", "set" | "frozenset") => Self::Set,
            ("builtins" | "__builtin__", "bytes") => Self::Bytes,
            ("_codecs", "encode") => Self::Encode,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_tensor_v3") => Self::RebuildTensorV3,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Self::RebuildParameter,
            ("torch", "Size") => Self::Size,
            ("torch", "device") => Self::Device,
            ("numpy", "dtype") => Self::NumpyDtype,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Self::NumpyScalar,
            ("torch" | "torch.cuda" | "torch.storage", _) => {
                let storage = Dtype::of_storage(name).map(|(dtype, size)| Self::Storage(dtype, size as u8));
                return storage.or_else(|| Dtype::of_name(name).filter(|_| module == "torch").map(Self::Dtype));
            }
            _ => return None,
        })
    }
}
