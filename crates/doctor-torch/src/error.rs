use hybridrepair_doctor::DoctorError;
use thiserror::Error;

/// What can go wrong with a training under watch.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainerError {
    /// Plans, settings and networks.
    #[error(transparent)]
    Doctor(#[from] DoctorError),
    /// Training itself.
    #[error(transparent)]
    Train(#[from] hybridrepair_train::TrainError),
    /// Models and files of weights.
    #[error(transparent)]
    Torch(#[from] hybridrepair_torch::TorchError),
    /// Arrays and pictures.
    #[error(transparent)]
    Data(#[from] hybridrepair_data::DataError),
    /// Values of the domain.
    #[error(transparent)]
    Core(#[from] hybridrepair_core::CoreError),
    /// Arrays that do not fit each other or the network.
    #[error("{0}")]
    Arrays(String),
}

impl From<TrainerError> for DoctorError {
    fn from(error: TrainerError) -> Self {
        match error {
            TrainerError::Doctor(error) => error,
            other => Self::Trainer(other.to_string()),
        }
    }
}
