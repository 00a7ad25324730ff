//! TorchScript modules as models.

mod facts;
mod ffi;
mod module;

pub use facts::{ScriptFacts, is_torchscript};
pub(crate) use module::{Archive, Script};
