use super::{DataArgs, Output, Runtime, Split};
use clap::Args;
use hybridrepair_core::Budget;
use std::path::PathBuf;

/// `early`
#[derive(Args, Debug, Clone)]
pub struct EarlyArgs {
    /// Recipe (TOML); flags win over it
    pub recipe: Option<PathBuf>,
    /// Epochs whose checkpoints are repaired, counted from 1; the last one ends the training
    #[arg(long, value_delimiter = ',', value_name = "EPOCHS")]
    pub epochs: Option<Vec<usize>>,
    /// Classes to repair, by name or number [default: the three worst]
    #[arg(long, visible_alias = "class", value_delimiter = ',', value_name = "CLASSES")]
    pub repair_class: Option<Vec<String>>,
    /// Repairs per checkpoint, class and method, from different seeds
    #[arg(long, visible_alias = "seeds", value_name = "N")]
    pub repair_seeds: Option<u64>,
    /// Trainings, from different seeds
    #[arg(long, value_name = "N")]
    pub runs: Option<u64>,
    /// Repairs that are compared: bias, finetune, sparse, retrain, random, gradient, published, published2, arachne, arachne2, combined
    #[arg(long, value_delimiter = ',', value_name = "METHODS")]
    pub methods: Option<Vec<String>>,
    /// The split to repair on
    #[arg(long, value_enum)]
    pub part: Option<Split>,
    /// Labels of that split to look at
    #[arg(long)]
    pub budget: Option<Budget>,
    /// Weight of the wrong samples in a search, in [0, 1]
    #[arg(long)]
    pub lambda: Option<f64>,
    /// Architecture
    #[arg(long, visible_alias = "arch")]
    pub model: Option<String>,
    /// Factor on the number of channels
    #[arg(long)]
    pub width: Option<f64>,
    /// Pictures per step
    #[arg(long, short)]
    pub batch_size: Option<usize>,
    /// GPUs that trainings are spread over; 0 uses --device
    #[arg(long, value_name = "N")]
    pub gpus: Option<usize>,
    /// Number of the first one
    #[arg(long, value_name = "K")]
    pub first_gpu: Option<usize>,
    /// Megabytes that one training takes, and that must be free
    #[arg(long, value_name = "M")]
    pub min_free_mb: Option<u64>,
    /// Go on with the run in --output-dir
    #[arg(long)]
    pub resume: bool,
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
    /// Device, threads and seed.
    #[command(flatten)]
    pub runtime: Runtime,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}
