//! Models on libtorch: architectures, checkpoints, prediction and views.
//!
//! A [`Model`] is an architecture with its named tensors; pictures enter as `uint8` NHWC ([`hybridrepair_data::Images`])
//! and are kept channels-last all the way through. Prediction on a CPU runs whole batches side by side, each on one
//! thread, so that logits are bit-equal for any number of threads.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arch;
mod batch;
mod checkpoint;
mod device;
mod error;
mod export;
mod foreign;
mod model;
mod params;
mod predict;
mod restate;
mod runtime;
mod script;
mod trunk;
mod tta;

pub use arch::{
    Arch, Layers, ModelSpec,
    tap::{Tap, note_tap},
};
pub use batch::{class_tensor, nhwc_tensor};
pub use checkpoint::{
    CheckpointMeta, ScriptFile, load_checkpoint, load_tensors, peek_checkpoint, save_checkpoint, save_tensors,
};
pub use device::DeviceChoice;
pub use error::TorchError;
pub use export::{ExportFormat, export};
pub use foreign::{DataFacts, open_checkpoint, open_script, read_state_dict};
pub use hybridrepair_pytorch_file::PytorchFileError;
pub use model::{Model, Output};
pub use params::Params;
pub use predict::{Predictions, predict, predict_rows, predict_with};
pub use restate::restate_batch_norm;
pub use runtime::{Runtime, RuntimeConfig, cuda_devices, leave_at_once, libtorch_version};
pub use script::ScriptFacts;
pub use tch::{Device, Kind, Tensor};
pub use trunk::Trunk;
pub use tta::{ViewPass, predict_views};
