use clap::Args;
use std::path::PathBuf;

/// `report`
#[derive(Args, Debug, Clone)]
pub struct ReportArgs {
    /// Folders of runs, or the folder of a comparison
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The file to write [default: report.html in the folder; of several runs: report.html here]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Of several runs, the method that the others are measured against [default: no-repair, random, or the first]
    #[arg(long, value_name = "METHOD")]
    pub baseline: Option<String>,
}
