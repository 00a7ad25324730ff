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
    /// Own pictures to repair on: a folder at any depth; folders called as the classes say their labels, which are sealed
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dataset", "data_dir"])]
    pub field: Option<PathBuf>,
    /// Own pictures that the model was trained on, a folder per class
    #[arg(long, value_name = "DIR", requires = "field")]
    pub train: Option<PathBuf>,
    /// Own pictures held out from training, a folder per class [default: a tenth of --train]
    #[arg(long, value_name = "DIR", requires = "train")]
    pub val: Option<PathBuf>,
    /// Own pictures that judge the repair, a folder per class [default: a random share of the budget judges]
    #[arg(long, value_name = "DIR", requires = "field")]
    pub holdout: Option<PathBuf>,
    /// Names of the classes in the order of the model's logits, one per line [default: the folders of --train]
    #[arg(long, value_name = "FILE", requires = "field")]
    pub classes: Option<PathBuf>,
    /// Picture files: the network's input, one side or height and width as in 224x320 [default: the model's, else 32]
    #[arg(long, visible_alias = "input-size", value_name = "SIZE")]
    pub img_size: Option<String>,
    /// Picture files: stretch, fit-pad, center-crop or center-crop=SHORTER_SIDE [default: stretch]
    #[arg(long, value_name = "POLICY")]
    pub resize: Option<String>,
    /// Picture files: channel means that the model expects, of pixels in 0 to 1 [default: the model's, else of --train]
    #[arg(long, num_args = 3, value_names = ["R", "G", "B"], requires = "std")]
    pub mean: Option<Vec<f32>>,
    /// Picture files: channel deviations that the model expects
    #[arg(long, num_args = 3, value_names = ["R", "G", "B"], requires = "mean")]
    pub std: Option<Vec<f32>>,
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
    /// Make field and holdout pictures worse, to see what a repair does under shift: noise, blur, fog, contrast or jpeg, each with
    /// a severity of 1 to 5 as in fog=4 [default severity: 3]
    #[arg(long, value_name = "KIND[=SEVERITY]")]
    pub corrupt: Option<String>,
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
    /// Look at a folder of pictures: sizes, formats, classes, duplicates, and what does not decode
    Inspect(InspectArgs),
}

/// `data inspect`
#[derive(Args, Debug, Clone)]
pub struct InspectArgs {
    /// The folder
    pub dir: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
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
