use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `label`
#[derive(Debug, Subcommand)]
pub enum LabelCommand {
    /// Write what a waiting run asks, for people and their tools
    Export(LabelExportArgs),
    /// Label in a browser on this machine, several people at once
    Serve(LabelServeArgs),
    /// Take answers into a run: CSV, JSONL, Label Studio (JSON, JSON-MIN, CSV), CVAT for images 1.1
    Import(LabelImportArgs),
    /// How far a run is: answers, ties, doubts, and what they say about the model
    Status(LabelStatusArgs),
}

/// What questions are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// A table to fill in
    Csv,
    /// Tasks and a labelling interface for Label Studio
    LabelStudio,
    /// Pictures and labels for a task in CVAT
    Cvat,
    /// Contact sheets with a number per picture, and a table to fill in
    Sheet,
}

/// `label export`
#[derive(Args, Debug, Clone)]
pub struct LabelExportArgs {
    /// Folder of the run
    pub run: PathBuf,
    /// For whom
    #[arg(long, value_enum, default_value_t = ExportForm::Csv)]
    pub to: ExportForm,
    /// File of the table, folder of the others [default: in tasks/ of the run]
    #[arg(long, short, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Label Studio: the folder that it serves; the pictures lie in it and are not copied
    #[arg(long, value_name = "DIR")]
    pub image_root: Option<PathBuf>,
    /// Label Studio: show the model's own answer, which may sway people
    #[arg(long)]
    pub show_prediction: bool,
    /// Only pictures without enough answers, or with a tie
    #[arg(long)]
    pub open: bool,
    /// Replace what an earlier export wrote
    #[arg(long)]
    pub overwrite: bool,
}

/// `label import`
#[derive(Args, Debug, Clone)]
pub struct LabelImportArgs {
    /// Folder of the run
    pub run: PathBuf,
    /// Files of answers, in the order in which they were given
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Who answered, where a file does not say
    #[arg(long, value_name = "NAME")]
    pub annotator: Option<String>,
    /// Say what would be taken; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `label status`
#[derive(Args, Debug, Clone)]
pub struct LabelStatusArgs {
    /// Folder of the run
    pub run: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `label serve`
#[derive(Args, Debug, Clone)]
pub struct LabelServeArgs {
    /// Folder of the run
    pub run: PathBuf,
    /// Port on 127.0.0.1 [default: the one that this run's page had before, else any free one]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Make a new address: those that were given away work no more
    #[arg(long)]
    pub new_address: bool,
    /// Show the model's own answer, which may sway people
    #[arg(long)]
    pub show_prediction: bool,
}
