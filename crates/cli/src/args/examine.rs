use clap::Args;
use std::path::PathBuf;

/// `examine`
#[derive(Args, Debug, Clone)]
pub struct ExamineArgs {
    /// Folder of the run
    pub run: PathBuf,
    /// Rules that judge: house, icse21 or extended23 [default: those of the run]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Accuracy that counts as good [default: that of the run, else a share of the way from chance to 1]
    #[arg(long, value_name = "ACC")]
    pub good: Option<f64>,
    /// Recipe whose [monitor] has the thresholds, instead of the run's
    #[arg(long, value_name = "FILE")]
    pub thresholds: Option<PathBuf>,
    /// Judge the training of an attempt instead of the first, by its name in attempts/
    #[arg(long, value_name = "NAME")]
    pub attempt: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}
