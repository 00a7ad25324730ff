//! All commands and flags. Parsing looks at no file and starts nothing.

mod arena;
mod data;
mod early;
mod examine;
mod export;
mod label;
mod model;
mod patch;
mod prepare;
mod pretrain;
mod report;
mod run;
mod select;
mod tune;

pub use arena::{
    ArenaCalibrateArgs, ArenaCommand, ArenaListArgs, ArenaRunArgs, ArenaScoreArgs, ArenaTorchArgs, Bytes, ClockArg,
    NewEntryArgs, Seconds, SuiteArg,
};
use clap::{Parser, Subcommand};
pub use data::{DataArgs, DataCommand, InspectArgs, SheetArgs};
pub use early::EarlyArgs;
pub use examine::ExamineArgs;
pub use export::{ExportArgs, ExportKind, ExportNumbers, ExportNumbersArgs};
pub use label::{ExportForm, LabelCommand, LabelExportArgs, LabelImportArgs, LabelServeArgs, LabelStatusArgs};
pub use model::{EmbedArgs, EvaluateArgs, ModelArgs, Split, TrainArgs, TrainSettingsArgs};
pub use patch::{
    Algo, ApplyArgs, CaseArgs, DrillArgs, FitnessArg, LocalizeArgs, MergeArgs, PatchCommand, PatchCompareArgs,
    PatchSearchArgs, Sampling, Share, ShowArgs, TestArgs, Watched,
};
pub use prepare::{ListArgs, PrepareArgs};
pub use pretrain::{PretrainArgs, PretrainMethod};
pub use report::ReportArgs;
pub use run::{CompareArgs, ExtractorArgs, Output, RepairArgs, RepairSettingsArgs, ResumeArgs, Runtime, TierArg};
pub use select::SelectArgs;
pub use tune::{Bounds, EvbmfArg, Limit, Rate, SearchArgs, TuneCommand, TuneLrArgs, WithArg};

/// Repairs a deployed image classifier with very few labels.
#[derive(Debug, Parser)]
#[command(name = "hybridrepair", version, max_term_width = 120, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Repair a model: from images to a better checkpoint, with a budget of labels
    #[command(after_help = "Without further arguments it repairs the shipped model on the built-in road signs:\n  \
        hybridrepair repair --budget 0.01")]
    Repair(Box<RepairArgs>),
    /// Go on with a run that was interrupted
    Resume(ResumeArgs),
    /// Run several methods and seeds, with shared stages, and make a table
    Compare(Box<CompareArgs>),
    /// Train a classifier from scratch
    Train(Box<TrainArgs>),
    /// Find a setting of a training by itself
    Tune {
        /// What to find.
        #[command(subcommand)]
        command: TuneCommand,
    },
    /// The same as `tune lr`
    #[command(hide = true)]
    TuneLr(Box<TuneLrArgs>),
    /// Make a feature extractor from training pictures and field pool, without labels
    Pretrain(Box<PretrainArgs>),
    /// Write logits, features and embeddings of a split as .npy
    Embed(EmbedArgs),
    /// Choose the samples worth a label from .npy arrays (needs no libtorch)
    Select(SelectArgs),
    /// Repair a few weights without training, as a patch that can be taken back
    Patch {
        /// What to do.
        #[command(subcommand)]
        command: PatchCommand,
    },
    /// When to stop training and repair instead: repairs of the checkpoints of a training, compared
    Early(Box<EarlyArgs>),
    /// Rank optimisers by how fast they reach a target on tasks that they have never seen
    Arena {
        /// What to do.
        #[command(subcommand)]
        command: ArenaCommand,
    },
    /// Judge the learning curves and gradients of a run again (needs no libtorch)
    Examine(ExamineArgs),
    /// Accuracy of a checkpoint on a split
    Evaluate(EvaluateArgs),
    /// Write what runs have found as one HTML file, for a run, for several or for a comparison
    Report(ReportArgs),
    /// Write a checkpoint for other programs (safetensors, a state dict, TorchScript), or the numbers of runs
    Export(ExportArgs),
    /// Labels from people: questions out, answers in
    Label {
        /// What to do.
        #[command(subcommand)]
        command: LabelCommand,
    },
    /// Look at data sets
    Data {
        /// What to do.
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Versions, libraries and devices of this machine
    Env {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    /// Whether the command needs libtorch.
    pub fn needs_torch(&self) -> bool {
        match self {
            Self::Select(_) | Self::Examine(_) | Self::Data { .. } | Self::Label { .. } | Self::Report(_) => false,
            Self::Arena { command } => command.needs_torch(),
            Self::Export(args) => args.numbers.is_none(),
            Self::Patch { command } => command.needs_torch(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_main_job_parses() {
        let cli = Cli::parse_from(["hybridrepair", "repair", "--budget", "0.01", "--preset", "published", "--wd", "0"]);
        let Command::Repair(args) = cli.command else { panic!("repair") };
        assert_eq!(args.settings.budget.unwrap().to_string(), "0.01");
        assert!(Cli::try_parse_from(["hybridrepair", "repair", "--budget", "-1"]).is_err());
    }
}
