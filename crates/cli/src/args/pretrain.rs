use super::{DataArgs, Output, Runtime};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How an extractor learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PretrainMethod {
    /// `SimCLR`: one network, for small pictures and small machines
    Simclr,
    /// `MoCo` v3: a second network that follows; a ResNet-50 and LARS unless said otherwise
    Mocov3,
}

/// `pretrain`
#[derive(Args, Debug, Clone)]
pub struct PretrainArgs {
    /// Recipe (TOML); flags win over it
    pub recipe: Option<PathBuf>,
    /// How it learns [default: simclr]
    #[arg(long, value_enum)]
    pub method: Option<PretrainMethod>,
    /// Architecture
    #[arg(long, visible_alias = "arch")]
    pub model: Option<String>,
    /// Factor on the number of channels
    #[arg(long)]
    pub width: Option<f64>,
    /// A model of that architecture and width to begin with, for instance the one under repair
    #[arg(long, value_name = "FILE")]
    pub init: Option<PathBuf>,
    /// Passes over the pictures
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Pictures per step
    #[arg(long, short)]
    pub batch_size: Option<usize>,
    /// Highest learning rate
    #[arg(long)]
    pub lr: Option<f64>,
    /// Similarities are divided by it
    #[arg(long)]
    pub temperature: Option<f64>,
    /// simclr: training pictures of one class are alike too
    #[arg(long)]
    pub source_labels: bool,
    /// Largest rotation of a view in degrees
    #[arg(long)]
    pub rotate: Option<f64>,
    /// Store the extractor in half precision
    #[arg(long)]
    pub half: bool,
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
