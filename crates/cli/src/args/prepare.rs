use clap::Args;
use std::path::PathBuf;

/// `data list`
#[derive(Args, Debug, Clone)]
pub struct ListArgs {
    /// As JSON, with addresses and checksums
    #[arg(long)]
    pub json: bool,
}

/// `data prepare`
#[derive(Args, Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one per flag")]
pub struct PrepareArgs {
    /// Data set, as `data list` names it
    pub name: String,
    /// Folder of this data set; default: its own below that of all, which `data list` names
    #[arg(long, visible_alias = "data-path", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Fetch nothing: check what is there, and unpack archives that were put there by hand
    #[arg(long)]
    pub offline: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// No progress bars
    #[arg(long)]
    pub no_progress: bool,
    /// Say less
    #[arg(long, short)]
    pub quiet: bool,
}
