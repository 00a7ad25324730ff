use std::path::PathBuf;
use thiserror::Error;

/// What can go wrong with models and devices.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TorchError {
    /// libtorch refused an operation.
    #[error("libtorch: {0}")]
    Tch(#[from] tch::TchError),
    /// A device that is not there.
    #[error("device {given:?} {why}")]
    Device {
        /// What was asked for.
        given: String,
        /// Why it cannot be had.
        why: String,
    },
    /// A file that cannot be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is no checkpoint, or is cut short.
    #[error("{} is no readable checkpoint: {why}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A checkpoint of another model than the one asked for.
    #[error("checkpoint does not fit the model: {0}")]
    Mismatch(String),
    /// A file of `PyTorch` that cannot be used.
    #[error(transparent)]
    PytorchFile(#[from] hybridrepair_pytorch_file::PytorchFileError),
    /// A TorchScript file that is no classifier under the contract.
    #[error("{}: {why}", path.display())]
    Script {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A TorchScript module that cannot be trained.
    #[error("{} cannot be trained: {why}", path.display())]
    Frozen {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// An unknown architecture or a setting outside its range.
    #[error("model: {0}")]
    Spec(String),
    /// Probabilities or views that are no distribution (NaN weights, for instance).
    #[error("predictions are unusable: {0}")]
    Core(#[from] hybridrepair_core::CoreError),
}
