//! TorchScript modules as models.

mod ffi;
mod module;

pub(crate) use module::{Archive, Script};
