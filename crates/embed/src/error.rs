use hybridrepair_core::CoreError;
use hybridrepair_data::DataError;
use hybridrepair_torch::TorchError;
use hybridrepair_train::TrainError;
use std::path::PathBuf;
use thiserror::Error;

/// What can go wrong with embeddings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// A name that is no extractor and no file.
    #[error("unknown extractor {0:?}; known are penultimate, penultimate-views, the name of a shipped one, and files")]
    Unknown(String),
    /// A file that is no extractor.
    #[error("{} is no usable extractor: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file that does not say what it wants to be shown.
    #[error("{} does not say its {what}", path.display())]
    Unsaid {
        /// The file.
        path: PathBuf,
        /// `normalisation` or `input size`.
        what: &'static str,
    },
    /// A weight that is NaN or infinite.
    #[error("a weight is NaN or infinite")]
    Weights,
    /// A file that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Features that do not fit the pool, or are not finite.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The network.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// Its training.
    #[error(transparent)]
    Train(#[from] TrainError),
}
