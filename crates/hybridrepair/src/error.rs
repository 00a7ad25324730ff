use std::path::PathBuf;
use thiserror::Error;

/// What a run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Pictures that are asked about.
    pub asked: usize,
    /// Those among them that judge and are not trained on.
    pub judges: usize,
    /// Pictures without enough answers.
    pub missing: usize,
    /// Pictures on which the answers are at odds.
    pub ties: usize,
}

/// What can go wrong in the pipeline. Each stage keeps its own error; this says which.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that cannot be used.
    #[error("{0}")]
    Config(String),
    /// Pictures and splits.
    #[error(transparent)]
    Data(#[from] hybridrepair_data::DataError),
    /// Values of the domain, the budget among them.
    #[error(transparent)]
    Core(#[from] hybridrepair_core::CoreError),
    /// Models, checkpoints and devices.
    #[error(transparent)]
    Torch(#[from] hybridrepair_torch::TorchError),
    /// Training.
    #[error(transparent)]
    Train(#[from] hybridrepair_train::TrainError),
    /// Repair training.
    #[error(transparent)]
    Finetune(#[from] hybridrepair_finetune::FinetuneError),
    /// Clustering.
    #[error(transparent)]
    Regions(#[from] hybridrepair_regions::RegionError),
    /// Distances and neighbours.
    #[error(transparent)]
    Kernel(#[from] hybridrepair_kernels::KernelError),
    /// Selection.
    #[error(transparent)]
    Select(#[from] hybridrepair_select::SelectError),
    /// Labels.
    #[error(transparent)]
    Label(#[from] hybridrepair_label::LabelError),
    /// Propagation.
    #[error(transparent)]
    Propagate(#[from] hybridrepair_propagate::PropagateError),
    /// Repair without training.
    #[error(transparent)]
    Patch(#[from] hybridrepair_patch::PatchError),
    /// The search for a learning rate.
    #[error(transparent)]
    Tune(#[from] hybridrepair_tune::TuneError),
    /// Training under watch.
    #[error(transparent)]
    Doctor(#[from] hybridrepair_doctor::DoctorError),
    /// Own arrays that do not fit each other or the network.
    #[error("{0}")]
    Arrays(String),
    /// Feature extraction.
    #[error(transparent)]
    Embed(#[from] hybridrepair_embed::EmbedError),
    /// Run directories.
    #[error(transparent)]
    Runs(#[from] hybridrepair_runs::RunsError),
    /// An array file that the pipeline wrote and cannot read or write.
    #[error("cannot access {}: {why}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// People must label first. Not a failure: what is there so far is kept, and `resume` goes on.
    #[error("waiting for labels: {} pictures without enough answers, {} on which answers are at odds", .0.missing, .0.ties)]
    Waiting(Waiting),
    /// Pretraining has found the way out that makes all pictures alike.
    #[error(
        "pretraining collapsed in epoch {epoch}: the spread of the embeddings is {spread:.4}, so all pictures look alike"
    )]
    Collapsed {
        /// The epoch, from 1.
        epoch: usize,
        /// Standard deviation of unit coordinates times the square root of their number.
        spread: f64,
    },
    /// Nothing may be kept: the repaired model is not safe.
    #[error("repair refused: {0}")]
    Refused(String),
}
