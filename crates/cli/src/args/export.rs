use super::DataArgs;
use clap::{Args, ValueEnum};
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
pub struct ExportArgs {
    /// The model: a .safetensors file, or a state dict of torch.save
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// What to write
    #[arg(long, value_enum)]
    pub to: ExportKind,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
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
