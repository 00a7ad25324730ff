use super::{DataArgs, Runtime, Split};
use crate::{Exit, Failure};
use clap::{Args, Subcommand, ValueEnum};
use hybridrepair_core::Budget;
use hybridrepair_patch::Fitness;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// `patch`
#[derive(Debug, Clone, Subcommand)]
pub enum PatchCommand {
    /// The weights that the wrong answers of a class depend on
    Localize(Box<LocalizeArgs>),
    /// Find new values for a few weights and write them as a patch
    Search(Box<PatchSearchArgs>),
    /// Run several methods and seeds on one class, beside a moved threshold
    Compare(Box<PatchCompareArgs>),
    /// Plant faults in the last layer and repair them: what can be found and mended in this model
    Drill(Box<DrillArgs>),
    /// Write a patched copy of a model
    Apply(ApplyArgs),
    /// Write the model as it was before a patch, to the bit
    Revert(ApplyArgs),
    /// Make one patch of several
    Merge(MergeArgs),
    /// What a patch changes, and what it does; also weights.csv, result.txt and `test_class_metrics.txt` of the published
    /// toolkit
    Show(ShowArgs),
}

/// What is repaired.
#[derive(Args, Debug, Clone)]
pub struct CaseArgs {
    /// The model: a .safetensors file (`export --to safetensors` makes one of others)
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// Name of its last layer, for files with another one than linear, fc or classifier
    #[arg(long, value_name = "NAME")]
    pub head: Option<String>,
    /// The class to repair, by name or number [default: the one with the lowest accuracy]
    #[arg(long, visible_alias = "repair-class")]
    pub class: Option<String>,
    /// Only its samples that are taken for this class
    #[arg(long, value_name = "CLASS", requires = "class")]
    pub as_class: Option<String>,
    /// Penultimate features of labelled samples, n x D (`embed` writes them); then no libtorch is needed
    #[arg(long, value_name = "NPY", requires = "labels")]
    pub features: Option<PathBuf>,
    /// Their classes, n whole numbers
    #[arg(long, value_name = "NPY", requires = "features")]
    pub labels: Option<PathBuf>,
    /// Without --features: the split to repair on; of field and holdout only field can be bought
    #[arg(long, value_enum, default_value_t = Split::Field)]
    pub part: Split,
    /// Labels of that split to look at: 0.1 or 10% of it, or a count, drawn by seed
    #[arg(long, default_value = "2000")]
    pub budget: Budget,
    /// How weights are found: arachne1, arachne1-published, arachne2, gradient, random, bias, combined (arachne2 and the
    /// bias)
    #[arg(long, visible_alias = "method", default_value = "arachne1", value_name = "NAME")]
    pub localize: String,
    /// Layers whose weights may change: last, all, or names of weights such as layers.12.conv2.weight. Beyond the last one
    /// weights are found by Arachne v2, each candidate runs the rest of the network, and a data set is needed
    #[arg(long, value_delimiter = ',', default_value = "last", value_name = "LAYERS", conflicts_with = "features")]
    pub layers: Vec<String>,
    /// Weights for gradient and random [default: 15], and for --algo sparse
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
    /// Right samples that are watched: all, or about so many
    #[arg(long, value_name = "N", default_value = "all")]
    pub positives: Watched,
    /// How watched samples are drawn
    #[arg(long, value_enum, default_value_t = Sampling::Balanced)]
    pub sampling: Sampling,
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,
    /// Device, threads and seed.
    #[command(flatten)]
    pub runtime: Runtime,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// How many right samples are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// All.
    All,
    /// About so many.
    Count(usize),
}

impl FromStr for Watched {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self::All),
            (_, Ok(n)) if n > 0 => Ok(Self::Count(n)),
            _ => Err("is neither all nor a number above 0".to_owned()),
        }
    }
}

/// How watched samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sampling {
    /// By the square root of each class's size, and all that are close to the class under repair
    Balanced,
    /// As the published toolkit does: uniform, with replacement
    Uniform,
    /// As the published experiment does: roughly balanced
    Published,
}

/// A share: `0.005` or `0.5%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, factor) = text.strip_suffix('%').map_or((text, 1.0), |n| (n, 0.01));
        match number.trim().parse::<f64>() {
            Ok(v) if (0.0..=1.0).contains(&(v * factor)) => Ok(Self(v * factor)),
            _ => Err("is no share; write for instance 0.005 or 0.5%".to_owned()),
        }
    }
}

/// `patch localize`
#[derive(Args, Debug, Clone)]
pub struct LocalizeArgs {
    /// What is repaired.
    #[command(flatten)]
    pub case: CaseArgs,
    /// Also write them as weights.csv of the published toolkit
    #[arg(long, short, value_name = "CSV")]
    pub output: Option<PathBuf>,
}

/// What a search maximises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FitnessArg {
    /// lambda for wrong samples, 1 - lambda for right ones, whatever their numbers
    Balanced,
    /// Arachne v1
    Ratio,
    /// Arachne v2, with --alpha
    Soft,
    /// The likelihood of all samples, wrong and right ones alike
    Likelihood,
}

impl FitnessArg {
    /// The score, with its weight of the wrong samples.
    pub fn fitness(self, lambda: f64, alpha: f64) -> Fitness {
        match self {
            Self::Balanced => Fitness::Balanced { lambda },
            Self::Ratio => Fitness::Ratio,
            Self::Soft => Fitness::Soft { alpha },
            Self::Likelihood => Fitness::Likelihood,
        }
    }
}

/// How values are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Algo {
    /// Particle swarm, the model as it is among the particles
    Pso,
    /// Particle swarm as published
    PsoPublished,
    /// Differential evolution, the model as it is among the individuals
    De,
    /// Differential evolution as published
    DePublished,
    /// The bias of the class, swept over its range
    Bias,
    /// All weights of the last layer, by gradient
    Finetune,
    /// The weights of the last layer that matter most, --count of them [default: 50], by gradient
    Sparse,
    /// All weights of the last layer on all samples alike, by gradient, then the bias of the class swept
    Retrain,
}

/// `patch search`
#[derive(Args, Debug, Clone)]
pub struct PatchSearchArgs {
    /// What is repaired.
    #[command(flatten)]
    pub case: CaseArgs,
    /// How values are found
    #[arg(long, value_enum, default_value_t = Algo::Pso)]
    pub algo: Algo,
    /// Weights from a weights.csv instead of --localize
    #[arg(long, value_name = "CSV")]
    pub weights: Option<PathBuf>,
    /// Candidates per iteration
    #[arg(long, default_value_t = 100)]
    pub population: usize,
    /// Most iterations
    #[arg(long, default_value_t = 50)]
    pub iterations: usize,
    /// What is maximised
    #[arg(long, value_enum, default_value_t = FitnessArg::Balanced)]
    pub fitness: FitnessArg,
    /// Weight of the wrong samples, in [0, 1]
    #[arg(long, default_value_t = 0.2)]
    pub lambda: f64,
    /// Weight of the wrong samples for --fitness soft
    #[arg(long, default_value_t = 10.0)]
    pub alpha: f64,
    /// Largest share of right samples that may break, e.g. 0.5%
    #[arg(long, value_name = "SHARE")]
    pub max_break: Option<Share>,
    /// Classes of which no right sample may break, by name or number
    #[arg(long, value_delimiter = ',', value_name = "CLASSES")]
    pub protect_class: Vec<String>,
    /// Keep every weight that the search has moved; without this, weights that bring nothing are put back and the rest is
    /// searched again (pso and de)
    #[arg(long)]
    pub no_refine: bool,
    /// Searches from different seeds, of which the best on the choosing samples is kept
    #[arg(long, default_value_t = 1)]
    pub restarts: u64,
    /// Share of the labelled samples that choose and do not take part in the search
    #[arg(long, default_value = "0.25", value_name = "SHARE")]
    pub choose_share: Share,
    /// The test.
    #[command(flatten)]
    pub test: TestArgs,
    /// The patch to write
    #[arg(long, short, default_value = "patch.json", value_name = "FILE")]
    pub output: PathBuf,
    /// Also write the files of the published toolkit: weights, results, history, metrics
    #[arg(long, value_name = "DIR")]
    pub upstream_dir: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    pub overwrite: bool,
}

/// Samples that nothing is chosen on.
#[derive(Args, Debug, Clone)]
pub struct TestArgs {
    /// Features of the test samples; without --features the holdout is the test
    #[arg(long, value_name = "NPY", requires = "test_labels")]
    pub test_features: Option<PathBuf>,
    /// Their classes
    #[arg(long, value_name = "NPY", requires = "test_features")]
    pub test_labels: Option<PathBuf>,
}

/// `patch compare`
#[derive(Args, Debug, Clone)]
pub struct PatchCompareArgs {
    /// What is repaired.
    #[command(flatten)]
    pub case: CaseArgs,
    /// The test.
    #[command(flatten)]
    pub test: TestArgs,
    /// Methods: bias, finetune, sparse, retrain, random, gradient, published, published2, arachne, arachne2, combined
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "METHODS",
        default_value = "bias,finetune,sparse,retrain,random,gradient,published,published2,arachne,arachne2,combined"
    )]
    pub methods: Vec<String>,
    /// Seeds, from --seed on: each cuts the samples anew and draws all random numbers of the searches
    #[arg(long, default_value_t = 10)]
    pub seeds: u64,
    /// Weights of the wrong samples, in [0, 1]: a line of the table for each
    #[arg(long, visible_alias = "lambda", value_delimiter = ',', default_value = "0.2", value_name = "WEIGHTS")]
    pub lambdas: Vec<f64>,
    /// Largest share of right samples that may break in a search, e.g. 0.5%
    #[arg(long, value_name = "SHARE")]
    pub max_break: Option<Share>,
    /// Candidates per iteration
    #[arg(long, default_value_t = 100)]
    pub population: usize,
    /// Most iterations
    #[arg(long, default_value_t = 50)]
    pub iterations: usize,
    /// Share of the labelled samples that choose and do not take part in the search
    #[arg(long, default_value = "0.25", value_name = "SHARE")]
    pub choose_share: Share,
    /// Also write everything, run by run, as JSON
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write a page with the trade-off drawn
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `patch drill`
#[derive(Args, Debug, Clone)]
pub struct DrillArgs {
    /// What is repaired.
    #[command(flatten)]
    pub case: CaseArgs,
    /// The test.
    #[command(flatten)]
    pub test: TestArgs,
    /// Faults, one at a time, drawn by seed
    #[arg(long, default_value_t = 20)]
    pub faults: usize,
    /// What is maximised
    #[arg(long, value_enum, default_value_t = FitnessArg::Likelihood)]
    pub fitness: FitnessArg,
    /// Accuracy that each must cost on the samples of the search, e.g. 5%
    #[arg(long, default_value = "5%", value_name = "SHARE")]
    pub at_least: Share,
    /// How values are found
    #[arg(long, value_enum, default_value_t = Algo::Pso)]
    pub algo: Algo,
    /// Candidates per iteration
    #[arg(long, default_value_t = 100)]
    pub population: usize,
    /// Most iterations
    #[arg(long, default_value_t = 100)]
    pub iterations: usize,
}

/// `patch apply` and `patch revert`
#[derive(Args, Debug, Clone)]
pub struct ApplyArgs {
    /// The patch
    pub patch: PathBuf,
    /// The model to read
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// The model to write
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub overwrite: bool,
}

/// `patch merge`
#[derive(Args, Debug, Clone)]
pub struct MergeArgs {
    /// The patches, of one model
    #[arg(required = true, num_args = 1..)]
    pub patches: Vec<PathBuf>,
    /// Their model
    #[arg(long, value_name = "FILE")]
    pub checkpoint: PathBuf,
    /// What a weight gets that several of them change: first, last, mean or smallest (change)
    #[arg(long, value_name = "RULE")]
    pub on_conflict: Option<String>,
    /// The patch to write
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub overwrite: bool,
}

/// `patch show`
#[derive(Args, Debug, Clone)]
pub struct ShowArgs {
    /// The patch, or a file of the published toolkit
    pub patch: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

impl CaseArgs {
    /// Whether layers before the last one may change.
    pub fn inner(&self) -> bool {
        self.layers != ["last"]
    }

    /// Refuses --layers for commands that know the last layer only.
    pub(crate) fn last_layer_only(&self) -> Result<(), Failure> {
        if self.inner() {
            return Err(Failure::new(Exit::Usage, "this command looks at the last layer only")
                .help("leave out --layers; `patch search` takes it"));
        }
        Ok(())
    }
}

impl Algo {
    /// Its name among the searches of located weights; none for those that choose their weights themselves.
    pub fn search_name(self) -> Option<&'static str> {
        match self {
            Self::Pso => Some("pso"),
            Self::PsoPublished => Some("pso-published"),
            Self::De => Some("de"),
            Self::DePublished => Some("de-published"),
            Self::Bias | Self::Finetune | Self::Sparse | Self::Retrain => None,
        }
    }
}

impl TestArgs {
    /// Both files, if they are given.
    pub fn files(&self) -> Option<(&Path, &Path)> {
        self.test_features.as_deref().zip(self.test_labels.as_deref())
    }
}

impl PatchCommand {
    /// Whether features must be computed by a network.
    pub fn needs_torch(&self) -> bool {
        match self {
            Self::Localize(args) => args.case.features.is_none(),
            Self::Search(args) => args.case.features.is_none(),
            Self::Compare(args) => args.case.features.is_none(),
            Self::Drill(args) => args.case.features.is_none(),
            Self::Apply(_) | Self::Revert(_) | Self::Merge(_) | Self::Show(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_counts() {
        assert_eq!("0.5%".parse(), Ok(Share(0.005)));
        assert_eq!("1".parse(), Ok(Share(1.0)));
        assert!("2".parse::<Share>().is_err() && "-1%".parse::<Share>().is_err() && "nan".parse::<Share>().is_err());
        assert_eq!("all".parse(), Ok(Watched::All));
        assert!("0".parse::<Watched>().is_err());
    }
}
