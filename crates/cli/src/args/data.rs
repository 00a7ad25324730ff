use super::{ListArgs, PrepareArgs};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Which data, and how it is cut.
#[derive(Args, Debug, Clone, Default)]
pub struct DataArgs {
    /// Data set: signs, cifar10, svhn, folder ...; `hybridrepair data list` has them all
    #[arg(long, short, value_name = "NAME")]
    pub dataset: Option<String>,
    /// Its folder, or its file
    #[arg(long, visible_alias = "data-path", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Splits with a drawn training set: class weighting of the model under repair (A, B or C)
    #[arg(long, value_name = "MODEL")]
    pub split: Option<String>,
    /// Splits with a drawn training set: index files of the training and validation subsets, separated by a comma
    #[arg(long, value_delimiter = ',', num_args = 1, value_name = "TRAIN.npy,VAL.npy")]
    pub split_files: Option<Vec<PathBuf>>,
    /// Cut: at most so many training pictures, drawn by seed
    #[arg(long, value_name = "N")]
    pub cut_train: Option<usize>,
    /// Cut: at most so many field pictures
    #[arg(long, value_name = "N")]
    pub cut_field: Option<usize>,
    /// Cut: at most so many holdout pictures
    #[arg(long, value_name = "N")]
    pub cut_holdout: Option<usize>,
    /// Leave out the N field pictures that --cut-field N would keep: a pool without the slice that a method was developed on
    #[arg(long, value_name = "N")]
    pub skip_field: Option<usize>,
    /// What the result is judged on: holdout, or val while a method is developed (the holdout is not opened then)
    #[arg(long, value_name = "SPLIT")]
    pub judge: Option<String>,
}

/// `data`
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// The data sets that are known, where they come from, and which are there
    List(ListArgs),
    /// Fetch a published data set and unpack it
    Prepare(PrepareArgs),
    /// A contact sheet of a data set as PNG
    Sheet(Box<SheetArgs>),
}

/// `data sheet`
#[derive(Args, Debug, Clone)]
pub struct SheetArgs {
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
    /// File to write; an existing one is not replaced
    #[arg(long, short, default_value = "sheet.png", value_name = "FILE")]
    pub output: PathBuf,
    /// Split to show: train, val, field or holdout (field and holdout without their labels)
    #[arg(long, default_value = "train")]
    pub part: String,
    /// Pictures per row
    #[arg(long, default_value_t = 12)]
    pub columns: usize,
    /// Rows; the training and validation splits show one class per row
    #[arg(long)]
    pub rows: Option<usize>,
    /// Enlargement
    #[arg(long, default_value_t = 2)]
    pub scale: usize,
}
