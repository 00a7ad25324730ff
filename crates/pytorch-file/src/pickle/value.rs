use super::{known::Known, numpy::NumpyDtype};
use crate::Dtype;

/// Number of a value in its file; [`crate::CheckpointFile::value`] gives the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueId(pub(super) u32);

/// What a pickle holds. Parts are numbers of other values, so that cycles do no harm.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// A whole number of at most 64 bits.
    Int(i64),
    /// A larger whole number: two's complement, little-endian.
    BigInt(Vec<u8>),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A tuple; `torch.Size` too.
    Tuple(Vec<ValueId>),
    /// A list.
    List(Vec<ValueId>),
    /// A set, frozen or not, in the order of the file.
    Set(Vec<ValueId>),
    /// A `dict` or `OrderedDict` in the order of the file. A key that stands twice is there twice: the later one counts.
    Dict(Vec<(ValueId, ValueId)>),
    /// A tensor; also a `torch.nn.Parameter`.
    Tensor(Box<TensorView>),
    /// The storage of a tensor.
    Storage(Box<StorageRef>),
    /// `torch.float32` and the like.
    Dtype(Dtype),
    /// `torch.device`, for instance `cuda:0`.
    Device(String),
    /// `numpy.dtype`.
    NumpyDtype(NumpyDtype),
    /// A class or function, by name only.
    Global(Global),
    /// What a class or function that is not known here would have made. It was not called.
    Object(Object),
}

/// A class or function by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Global {
    /// Its module, a [`Value::Str`].
    pub module: ValueId,
    /// Its name, a [`Value::Str`].
    pub name: ValueId,
    pub(super) known: Option<Known>,
}

/// An object of a class that is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// The class or function, mostly a [`Value::Global`].
    pub class: ValueId,
    /// What it would have been called with.
    pub args: ValueId,
    /// What its attributes would have been set from.
    pub state: Option<ValueId>,
}

/// A tensor: how its elements lie in a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorView {
    /// A [`Value::Storage`].
    pub storage: ValueId,
    /// Type of its elements.
    pub dtype: Dtype,
    /// Elements of the storage before its first.
    pub offset: u64,
    /// Extent of each dimension.
    pub shape: Vec<u64>,
    /// Elements of the storage from one index to the next, for each dimension.
    pub strides: Vec<u64>,
}

/// A storage: elements in a row, of which several tensors may be views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageRef {
    /// Its name in the file, a [`Value::Str`].
    pub key: ValueId,
    /// Type of its elements; none when it is untyped, quantised or unknown.
    pub dtype: Option<Dtype>,
    /// Bytes of an element, when the type is known.
    pub element: Option<u8>,
    /// Elements in the file.
    pub numel: u64,
    /// First element and number of elements, when it is a part of what is in the file (very old files).
    pub view: Option<(u64, u64)>,
}

impl Value {
    /// The text, when it is text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The number, when it is a whole number of at most 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The number, whole or not.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(number) => Some(*number),
            Self::Int(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// A length, a position or a stride.
    pub(super) fn as_u64(&self) -> Option<u64> {
        self.as_i64().and_then(|n| u64::try_from(n).ok())
    }

    /// The parts of a tuple.
    pub(super) fn as_tuple(&self) -> Option<&[ValueId]> {
        if let Self::Tuple(parts) = self { Some(parts) } else { None }
    }
}
