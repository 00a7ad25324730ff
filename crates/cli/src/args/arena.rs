use super::Output;
use clap::{Args, Subcommand, ValueEnum};
use std::{path::PathBuf, str::FromStr};

/// `arena`
#[derive(Debug, Clone, Subcommand)]
pub enum ArenaCommand {
    /// Run optimisers on the tasks of a suite and rank them
    #[command(
        after_help = "Entries are names of `arena list`, train.py files that define `train(task)` as the AutoTrain \
        competition had it, or its ZIP files."
    )]
    Run(Box<ArenaRunArgs>),
    /// Suites, tasks and entries
    List(ArenaListArgs),
    /// Score stored runs again; several folders with the same entries count as one contest
    Score(ArenaScoreArgs),
    /// Find the target of a task: what the baseline reaches reliably
    Calibrate(ArenaCalibrateArgs),
    /// Write a commented entry to begin with
    NewEntry(NewEntryArgs),
    /// Runs an entry whose task is at the other end of standard input and output; `run` starts this.
    #[command(hide = true)]
    Entry {
        /// The entry.
        name: String,
    },
}

/// The sets of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SuiteArg {
    /// Seven small tasks, seconds each
    Tiny,
    /// Twenty variations of them, drawn by --suite-seed
    Hidden,
    /// LSTM on generated text, or on a text of yours
    Language,
    /// The shipped model fine-tuned on bought, guessed and source pictures, once per seed of labels (needs libtorch)
    Repair,
    /// ResNet-18 on CIFAR-10 as in the competition, for people with a GPU and the data (needs libtorch)
    Cifar,
}

impl SuiteArg {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Hidden => "hidden",
            Self::Language => "language",
            Self::Repair => "repair",
            Self::Cifar => "cifar",
        }
    }

    /// Whether its networks are on libtorch.
    pub fn needs_torch(self) -> bool {
        matches!(self, Self::Repair | Self::Cifar)
    }

    /// Longest time of a run where none is given, seconds.
    pub fn limit(self) -> f64 {
        match self {
            Self::Repair => 600.0,
            Self::Cifar => 24.0 * 3600.0,
            _ => 60.0,
        }
    }
}

impl ArenaCommand {
    /// Whether it needs libtorch.
    pub fn needs_torch(&self) -> bool {
        match self {
            Self::Run(args) => args.suite.needs_torch(),
            Self::Calibrate(args) => args.torch_suite().is_some(),
            _ => false,
        }
    }
}

/// What the suites on libtorch take beside the others.
#[derive(Args, Debug, Clone)]
pub struct ArenaTorchArgs {
    /// Suite cifar: the folder of CIFAR-10
    #[arg(long, visible_alias = "data-path", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Suites repair and cifar: where the networks lie, auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: String,
}

/// What time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClockArg {
    /// Gradient examples; a loss or a probe counts a third per example. The same on every machine
    Work,
    /// Seconds
    Wall,
}

/// A time such as `60s` or `2m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(pub f64);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, factor) = match text.strip_suffix('m') {
            Some(minutes) => (minutes, 60.0),
            None => (text.strip_suffix('s').unwrap_or(text), 1.0),
        };
        match number.trim().parse::<f64>() {
            Ok(v) if v > 0.0 && v.is_finite() => Ok(Self(v * factor)),
            _ => Err("is no time; write for instance 60s or 2m".to_owned()),
        }
    }
}

/// A size such as `2g` or `500m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let lower = lower.trim_end_matches('b').trim_end_matches('i');
        let (number, shift) = [("k", 10), ("m", 20), ("g", 30)]
            .into_iter()
            .find_map(|(unit, shift)| Some((lower.strip_suffix(unit)?, shift)))
            .unwrap_or((lower, 0));
        match number.trim().parse::<f64>() {
            Ok(v) if v > 0.0 && v < 1e9 => Ok(Self((v * (1u64 << shift) as f64) as u64)),
            _ => Err("is no size; write for instance 2g or 500m".to_owned()),
        }
    }
}

/// `arena run`
#[derive(Args, Debug, Clone)]
pub struct ArenaRunArgs {
    /// The tasks
    #[arg(long, value_enum, default_value_t = SuiteArg::Tiny)]
    pub suite: SuiteArg,
    /// Seed that suite hidden is drawn from
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    pub suite_seed: u64,
    /// Only these tasks of the suite
    #[arg(long, value_delimiter = ',', value_name = "TASKS")]
    pub tasks: Vec<String>,
    /// The entries [default: all that are built in]
    #[arg(long, value_delimiter = ',', value_name = "NAME|FILE")]
    pub entries: Vec<String>,
    /// What speed-ups are over
    #[arg(long, default_value = "adam", value_name = "NAME")]
    pub baseline: String,
    /// Leave out the baselines that are always run beside --entries: sgd-momentum, adam-memoryless, random-lr
    #[arg(long, requires = "entries")]
    pub no_baselines: bool,
    /// What time is counted in; both are reported
    #[arg(long, value_enum, default_value_t = ClockArg::Work)]
    pub clock: ClockArg,
    /// Runs of each entry on each task
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub repeats: u64,
    /// Longest time of a run, such as 60s or 2m [default: 60s; of suite repair 10m, of suite cifar 1440m]
    #[arg(long, value_name = "TIME")]
    pub limit: Option<Seconds>,
    /// Most memory of an entry, such as 2g
    #[arg(long, default_value = "2g", value_name = "SIZE")]
    pub memory: Bytes,
    /// Seed of the first run of each entry on each task
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Suite language: the text to learn, UTF-8; without one it is generated
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Of suites on libtorch.
    #[command(flatten)]
    pub torch: ArenaTorchArgs,
    /// Python for entries that need it
    #[arg(long, default_value = "python3", value_name = "PROGRAM")]
    pub python: PathBuf,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `arena list`
#[derive(Args, Debug, Clone)]
pub struct ArenaListArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `arena score`
#[derive(Args, Debug, Clone)]
pub struct ArenaScoreArgs {
    /// Folders of contests
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// What time is counted in [default: as the first contest has it]
    #[arg(long, value_enum)]
    pub clock: Option<ClockArg>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `arena calibrate`
#[derive(Args, Debug, Clone)]
pub struct ArenaCalibrateArgs {
    /// A task of suite tiny, language, repair or cifar: signs-mlp, repair-s0
    pub task: String,
    /// The baseline
    #[arg(long, default_value = "adam", value_name = "NAME")]
    pub baseline: String,
    /// The text of suite language
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Of suites on libtorch.
    #[command(flatten)]
    pub torch: ArenaTorchArgs,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

impl ArenaCalibrateArgs {
    /// The suite on libtorch that the task is of, going by its name.
    pub fn torch_suite(&self) -> Option<SuiteArg> {
        match self.task.as_str() {
            "cifar" => Some(SuiteArg::Cifar),
            task if task.starts_with("repair-") => Some(SuiteArg::Repair),
            _ => None,
        }
    }
}

/// `arena new-entry`
#[derive(Args, Debug, Clone)]
pub struct NewEntryArgs {
    /// Its name: small letters, digits and hyphens
    pub name: String,
    /// A train.py instead of a Rust file
    #[arg(long)]
    pub python: bool,
    /// Where to write it [default: crates/arena/src/entries in a clone, else here]
    #[arg(long, short, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        assert_eq!(["60s", "2m", "1.5"].map(|t| t.parse::<Seconds>().unwrap().0), [60.0, 120.0, 1.5]);
        assert_eq!(["2g", "500M", "1KiB", "7"].map(|t| t.parse::<Bytes>().unwrap().0), [2 << 30, 500 << 20, 1024, 7]);
        assert!("-1s".parse::<Seconds>().is_err() && "x".parse::<Bytes>().is_err() && "0".parse::<Bytes>().is_err());
    }
}
