use hybridrepair_core::CoreError;
use hybridrepair_data::DataError;
use thiserror::Error;

/// What can go wrong with embeddings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// A name that is no extractor and no file of features.
    #[error("unknown extractor {0:?}; known are penultimate and the path of a .npy file")]
    Unknown(String),
    /// A file that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Features that do not fit the pool, or are not finite.
    #[error(transparent)]
    Core(#[from] CoreError),
}
