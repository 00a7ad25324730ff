use super::{DataArgs, ExtractorArgs, Output, Rate, Runtime, SearchArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The settings of a training; each replaces the recipe's.
#[derive(Args, Debug, Clone, Default)]
pub struct TrainSettingsArgs {
    /// Recipe (TOML); flags win over it
    pub recipe: Option<PathBuf>,
    /// Architecture
    #[arg(long, visible_alias = "arch")]
    pub model: Option<String>,
    /// Factor on the number of channels
    #[arg(long)]
    pub width: Option<f64>,
    /// Passes over the training set
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Pictures per step
    #[arg(long, short)]
    pub batch_size: Option<usize>,
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
    /// Device, threads and seed.
    #[command(flatten)]
    pub runtime: Runtime,
}

/// `train`
#[derive(Args, Debug, Clone)]
pub struct TrainArgs {
    /// What all trainings have.
    #[command(flatten)]
    pub setting: TrainSettingsArgs,
    /// Highest learning rate (cosine schedule with one epoch of warm-up), or auto: found by short trials as in `tune lr`
    #[arg(long, value_name = "RATE|auto")]
    pub lr: Option<Rate>,
    /// Train so often, from seeds that follow each other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub trials: u64,
    /// Use all labels of the field pool as well: the ceiling of any repair
    #[arg(long)]
    pub with_field_labels: bool,
    /// Store the checkpoint in half precision
    #[arg(long)]
    pub half: bool,
    /// Go on with the run in --output-dir
    #[arg(long)]
    pub resume: bool,
    /// What happens when training goes wrong: off, watch (say so), stop, or repair (train changed plans) [default: watch]
    #[arg(long, value_name = "MODE")]
    pub monitor: Option<String>,
    /// Rules that judge: house, icse21 or extended23 [default: house]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Trainings to the end that a repair may cost
    #[arg(long, value_name = "N")]
    pub budget_models: Option<f64>,
    /// Time that a repair may cost: 90s, 10m or 2h
    #[arg(long, value_name = "TIME")]
    pub budget_time: Option<String>,
    /// Train a small case that goes wrong, instead of a recipe: vanish, explode, dying, oscillate, slow or activation
    #[arg(long, value_name = "NAME", conflicts_with = "recipe")]
    pub demo: Option<String>,
    /// Output.
    #[command(flatten)]
    pub output: Output,
    /// How `--lr auto` looks for it.
    #[command(flatten, next_help_heading = "With --lr auto")]
    pub search: SearchArgs,
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// What the model was trained on
    Train,
    /// Held out from training
    Val,
    /// The pool that labels are bought from
    Field,
    /// Judges the repair
    Holdout,
}

/// A model, from one of two kinds of files.
#[derive(Args, Debug, Clone)]
#[group(required = true, multiple = false)]
pub struct ModelArgs {
    /// The model: a .safetensors file, or a state dict of torch.save
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// The model: a TorchScript module that gives logits, or (logits, features)
    #[arg(long, value_name = "FILE")]
    pub torchscript: Option<PathBuf>,
}

/// `evaluate`
#[derive(Args, Debug, Clone)]
pub struct EvaluateArgs {
    /// The model
    #[command(flatten)]
    pub file: ModelArgs,
    /// A second model of either kind, for repaired and broken samples
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// The split
    #[arg(long, value_enum, default_value_t = Split::Holdout)]
    pub part: Split,
    /// Architecture that the checkpoint must have
    #[arg(long, visible_alias = "arch")]
    pub model: Option<String>,
    /// Width that the checkpoint must have
    #[arg(long, requires = "model")]
    pub width: Option<f64>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
    /// Device and threads.
    #[command(flatten)]
    pub runtime: Runtime,
}

/// `embed`
#[derive(Args, Debug, Clone)]
pub struct EmbedArgs {
    /// The model: a .safetensors file, or a state dict of torch.save; writes logits.npy and features.npy
    #[arg(long, value_name = "FILE", conflicts_with = "torchscript")]
    pub checkpoint: Option<PathBuf>,
    /// The model: a TorchScript module that gives logits, or (logits, features)
    #[arg(long, value_name = "FILE", required_unless_present_any = ["checkpoint", "extractor"])]
    pub torchscript: Option<PathBuf>,
    /// Writes embeddings.npy.
    #[command(flatten)]
    pub extractor: ExtractorArgs,
    /// With --extractor FILE: a folder of pictures of any size instead of a data set; memory does not grow with their number
    #[arg(long, value_name = "DIR", requires = "extractor", conflicts_with_all = ["checkpoint", "torchscript", "dataset",
        "field", "views"])]
    pub images: Option<PathBuf>,
    /// The split
    #[arg(long, value_enum, default_value_t = Split::Field)]
    pub part: Split,
    /// Also the mean prediction over augmented views, and its variance
    #[arg(long)]
    pub views: bool,
    /// Folder for the arrays; must be new or empty
    #[arg(long, visible_alias = "output", value_name = "DIR")]
    pub output_dir: PathBuf,
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
    /// Device, threads and seed.
    #[command(flatten)]
    pub runtime: Runtime,
}
