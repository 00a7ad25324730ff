//! A pickle machine (protocols 2 to 5) that builds values and calls nothing.
//!
//! What it builds lies in one table ([`Values`]) whose entries refer to each other by number, so that cycles and deep or
//! shared structures need no recursion and no copies anywhere. All memory is accounted for against the file's length.

mod call;
mod describe;
mod known;
mod machine;
mod numpy;
mod storage;
mod value;
mod values;

pub(crate) use machine::run;
pub use numpy::NumpyDtype;
pub use value::{Global, Object, StorageRef, TensorView, Value, ValueId};
pub(crate) use values::Values;
