use super::{DataArgs, Rate};
use clap::{Args, ValueEnum};
use hybridrepair_core::Budget;
use std::path::PathBuf;

/// Device, threads and seed.
#[derive(Args, Debug, Clone, Default)]
pub struct Runtime {
    /// auto, cpu, cuda or cuda:N
    #[arg(long)]
    pub device: Option<String>,
    /// CPU threads [default: all cores]
    #[arg(long, short = 'j', visible_alias = "workers")]
    pub threads: Option<usize>,
    /// The seed of all randomness
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
}

/// Where results go and how loud the tool is.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Debug, Clone, Default)]
pub struct Output {
    /// Folder of the run [default: runs/<time>-<name>]; must be new or empty
    #[arg(long, short, visible_alias = "output", value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Replace the run in that folder
    #[arg(long)]
    pub overwrite: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// No progress bars
    #[arg(long)]
    pub no_progress: bool,
    /// Say less
    #[arg(long, short)]
    pub quiet: bool,
}

/// Which values fill in what is not said.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PresetArg {
    /// As upstream has it, quirks included
    Published,
    /// Without the quirks that leak the holdout
    Corrected,
    /// The best there is
    Default,
}

impl PresetArg {
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Corrected => "corrected",
            Self::Default => "default",
        }
    }
}

/// How much of the network is trained.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TierArg {
    /// All layers where the time allows it, else as cheap
    Auto,
    /// All layers
    Full,
    /// The head, or the last block and the head, on features that are computed once
    Cheap,
}

impl TierArg {
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Full => "full",
            Self::Cheap => "cheap",
        }
    }
}

/// Where embeddings come from, and what such a network wants to be shown where its file does not say it.
#[derive(Args, Debug, Clone, Default)]
pub struct ExtractorArgs {
    /// Where embeddings come from: penultimate, penultimate-views, or a file: one that
    /// `pretrain` made, TorchScript, a checkpoint of `MoCo` v3, a state dict of a known architecture, or a .npy of rows
    /// [default: penultimate; of preset published on signs the shipped signs-extractor-w025]
    #[arg(long, value_name = "NAME|FILE")]
    pub extractor: Option<String>,
    /// The extractor's input, one side or height and width as in 224x320 [default: its file's]
    #[arg(long, value_name = "SIZE", requires = "extractor")]
    pub extractor_size: Option<String>,
    /// Channel means that the extractor expects, of pixels in 0 to 1 [default: its file's]
    #[arg(long, num_args = 3, value_names = ["R", "G", "B"], requires = "extractor_std")]
    pub extractor_mean: Option<Vec<f32>>,
    /// Channel deviations that the extractor expects
    #[arg(long, num_args = 3, value_names = ["R", "G", "B"], requires = "extractor_mean")]
    pub extractor_std: Option<Vec<f32>>,
}

/// The settings of a repair; each replaces the recipe's.
#[derive(Args, Debug, Clone, Default)]
pub struct RepairSettingsArgs {
    /// Recipe (TOML); flags win over it
    #[arg(long, short = 'c', value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// published, corrected or default
    #[arg(long)]
    pub preset: Option<PresetArg>,
    /// The model under repair
    #[arg(long, visible_alias = "initial-checkpoint", value_name = "FILE", conflicts_with = "torchscript")]
    pub checkpoint: Option<PathBuf>,
    /// The model under repair as a scripted TorchScript module that gives logits, or (logits, features)
    #[arg(long, value_name = "FILE")]
    pub torchscript: Option<PathBuf>,
    /// Labels to buy: 0.01 or 1% of the pool, or a count such as 350
    #[arg(long, allow_negative_numbers = true)]
    pub budget: Option<Budget>,
    /// Who gives labels: auto (people where the field has none), oracle (sealed labels of a benchmark) or people
    #[arg(long, value_name = "WHO")]
    pub annotator: Option<String>,
    /// Answers by different annotators for each picture; the budget counts answers
    #[arg(long, value_name = "N")]
    pub answers: Option<usize>,
    /// Share of the pictures that is drawn at random, judges, and is not trained on [default: 0.2 without a holdout, else 0]
    #[arg(long, value_name = "SHARE")]
    pub random_share: Option<f64>,
    /// "Cannot tell" costs nothing
    #[arg(long)]
    pub refund_cannot_tell: bool,
    /// Oracle: chance of a wrong answer, for experiments
    #[arg(long, value_name = "RATE")]
    pub error_rate: Option<f64>,
    /// Where embeddings come from.
    #[command(flatten)]
    pub extractor: ExtractorArgs,
    /// How much of the network is trained: auto takes all layers where that fits --minutes (120 on a CPU unless said
    /// otherwise), else what lies behind a frozen trunk; `compare` takes auto as full
    #[arg(long)]
    pub tier: Option<TierArg>,
    /// Time that the whole command may take, about: decides the tier, and training stops in time
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub minutes: Option<f64>,
    /// Training stops after so many steps
    #[arg(long, value_name = "N")]
    pub max_steps: Option<u64>,
    /// Training stops before more pictures than these went through a backward pass
    #[arg(long, value_name = "N")]
    pub max_images: Option<u64>,
    /// Epochs of the repair
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Epochs of the replay fine-tune before it
    #[arg(long)]
    pub replay_epochs: Option<usize>,
    /// Learning rate, or auto: found by short trials on the bought labels
    #[arg(long, value_name = "RATE|auto")]
    pub lr: Option<Rate>,
    /// Momentum
    #[arg(long)]
    pub momentum: Option<f64>,
    /// Weight decay
    #[arg(long, visible_alias = "wd")]
    pub weight_decay: Option<f64>,
    /// Pictures per step and stream
    #[arg(long, short)]
    pub batch_size: Option<usize>,
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
    /// Device, threads and seed.
    #[command(flatten)]
    pub runtime: Runtime,
}

/// `repair`
#[derive(Args, Debug, Clone)]
pub struct RepairArgs {
    /// The whole pipeline by name: no-repair, random, gini, mcp, coreset, badge, ssl-random, ssl-consistency,
    /// ssl-consistency-imp, hybrid, zero-label, coverage; NAME+TRAINER takes another trainer
    #[arg(long)]
    pub method: Option<String>,
    /// Replaces the method's trainer: supervised, published, fixmatch, softmatch, freematch
    #[arg(long)]
    pub trainer: Option<String>,
    /// Replaces the method's selection rule
    #[arg(long)]
    pub strategy: Option<String>,
    /// Say what would be done, how long it would take and what it would cost; do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Settings.
    #[command(flatten)]
    pub settings: RepairSettingsArgs,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `resume`
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Debug, Clone)]
pub struct ResumeArgs {
    /// Folder of the run
    pub run: PathBuf,
    /// Go on with the answers that are there, though some are missing
    #[arg(long)]
    pub partial: bool,
    /// Print the result as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// No progress bars
    #[arg(long)]
    pub no_progress: bool,
    /// Say less
    #[arg(long, short)]
    pub quiet: bool,
}

/// `compare`
#[derive(Args, Debug, Clone)]
pub struct CompareArgs {
    /// Methods, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "no-repair,random,gini,mcp,coreset,badge,hybrid")]
    pub methods: Vec<String>,
    /// Trainers, separated by commas, each with every method that buys labels [default: each method's own]
    #[arg(long, value_delimiter = ',')]
    pub trainers: Vec<String>,
    /// Seeds, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "10,20,30")]
    pub seeds: Vec<u64>,
    /// Budgets, separated by commas [default: the recipe's]
    #[arg(long, value_delimiter = ',')]
    pub budgets: Vec<Budget>,
    /// The method that the others are compared with, pair by pair
    #[arg(long, default_value = "random")]
    pub baseline: String,
    /// Settings.
    #[command(flatten)]
    pub settings: RepairSettingsArgs,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}
