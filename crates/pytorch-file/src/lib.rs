//! What `torch.save` writes, read without running anything that stands in it, and written.
//!
//! A `PyTorch` checkpoint is a pickle, which is a program: Python's own reader imports and calls whatever the file names.
//! The reader here knows the few names that tensors, state dicts and their usual companions are made of, keeps every
//! other one as a name ([`Value::Object`]), and calls nothing. It needs no libtorch.
//!
//! ```
//! use hybridrepair_pytorch_file::{CheckpointFile, Dtype, IfExists, NamedTensor, write_state_dict};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = std::env::temp_dir().join(format!("pytorch-file-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let path = dir.join("model.pt");
//! let bias = NamedTensor { name: "fc.bias".into(), dtype: Dtype::F32, shape: vec![1], data: 0.5f32.to_le_bytes().to_vec() };
//! write_state_dict(&path, &[bias], IfExists::Refuse)?;
//! let read = CheckpointFile::open(&path)?.state_dict()?;
//! assert_eq!((read[0].name.as_str(), read[0].to_f32()?), ("fc.bias", vec![0.5]));
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok(())
//! # }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod checkpoint;
mod container;
mod dtype;
mod error;
mod fuzz;
mod gather;
mod legacy;
mod locate;
mod mistaken;
mod pickle;
mod source;
mod tensor;
mod write;
mod zip;

pub use checkpoint::CheckpointFile;
pub use dtype::Dtype;
pub use error::PytorchFileError;
pub use fuzz::fuzz_one;
pub use mistaken::Mistaken;
pub use pickle::{Global, NumpyDtype, Object, StorageRef, TensorView, Value, ValueId};
pub use tensor::NamedTensor;
pub use write::{IfExists, write_state_dict};
