use hybridrepair_core::CoreError;
use hybridrepair_data::DataError;
use hybridrepair_train::TrainError;
use thiserror::Error;

/// What can go wrong in repair training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FinetuneError {
    /// The training loop.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The repair set.
    #[error("repair set: {0}")]
    Core(#[from] CoreError),
    /// The view settings.
    #[error("views: {0}")]
    Data(#[from] DataError),
}
