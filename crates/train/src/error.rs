use hybridrepair_torch::TorchError;
use thiserror::Error;

/// What can go wrong while training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The model or libtorch.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// libtorch refused an operation.
    #[error("libtorch: {0}")]
    Tch(#[from] tch::TchError),
    /// Nothing to learn from.
    #[error("no training samples: {0}")]
    Empty(String),
    /// A setting outside its range.
    #[error("{what} {given} {why}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Saved state that belongs to another run.
    #[error("cannot resume: {0}")]
    Resume(String),
    /// The loss or a weight is NaN or infinite.
    #[error("training diverged at epoch {epoch}, step {step}: {what}")]
    Diverged {
        /// Epoch, from 0.
        epoch: usize,
        /// Step in the epoch, from 0.
        step: usize,
        /// What is not finite.
        what: &'static str,
    },
}
