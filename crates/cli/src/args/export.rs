use super::DataArgs;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What a model is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportKind {
    /// Named tensors
    Safetensors,
    /// A state dict for a network of the same layers and names, as torch.load reads it
    StateDict,
    /// A traced module for inference, gives logits (of a TorchScript model: the module itself)
    Torchscript,
}

/// `export`
#[derive(Args, Debug, Clone)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ExportArgs {
    /// The numbers of runs, instead of a model.
    #[command(subcommand)]
    pub numbers: Option<ExportNumbers>,
    /// The model: a .safetensors file, or a state dict of torch.save
    #[arg(long, value_name = "FILE", required = true)]
    pub checkpoint: Option<PathBuf>,
    /// What to write
    #[arg(long, value_enum, required = true)]
    pub to: Option<ExportKind>,
    /// The file to write
    #[arg(long, short, value_name = "FILE", required = true)]
    pub output: Option<PathBuf>,
    /// Half precision (not for torchscript)
    #[arg(long)]
    pub half: bool,
    /// Replace the file if it exists
    #[arg(long)]
    pub overwrite: bool,
    /// The data, for a checkpoint that was not written here: it does not say its classes.
    #[command(flatten)]
    pub data: DataArgs,
}

impl ExportArgs {
    /// The model, what to write it as, and where; parsing has seen to it that they are there, unless numbers are asked for.
    pub fn model(&self) -> Option<(&PathBuf, ExportKind, &PathBuf)> {
        Some((self.checkpoint.as_ref()?, self.to?, self.output.as_ref()?))
    }
}

/// Numbers of runs for other programs.
#[derive(Subcommand, Debug, Clone)]
pub enum ExportNumbers {
    #[expect(clippy::doc_markdown, reason = "it is shown as help")]
    /// Event files for TensorBoard: a folder per run
    Tensorboard(ExportNumbersArgs),
    /// Tables: runs.csv, classes.csv and metrics.csv
    Csv(ExportNumbersArgs),
}

/// `export tensorboard`, `export csv`
#[derive(Args, Debug, Clone)]
pub struct ExportNumbersArgs {
    /// Folders of runs or of comparisons
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Folder to write to
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
}
