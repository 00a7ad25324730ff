use clap::Args;
use hybridrepair_core::Budget;
use std::path::PathBuf;

/// `select`
#[derive(Args, Debug, Clone)]
pub struct SelectArgs {
    /// The selection rule (an unknown name lists them)
    #[arg(long)]
    pub strategy: String,
    /// Labels to buy: 0.01 or 1% of the pool, or a count
    #[arg(long, allow_negative_numbers = true)]
    pub budget: Budget,
    /// Logits of the model, n x C
    #[arg(long, value_name = "NPY")]
    pub logits: Option<PathBuf>,
    /// Penultimate features, n x D
    #[arg(long, value_name = "NPY")]
    pub features: Option<PathBuf>,
    /// Embeddings by a feature extractor, n x d
    #[arg(long, value_name = "NPY")]
    pub embeddings: Option<PathBuf>,
    /// Mean probabilities over augmented views, n x C
    #[arg(long, value_name = "NPY")]
    pub views: Option<PathBuf>,
    /// Variance over the views, n [default: zeros]
    #[arg(long, value_name = "NPY", requires = "views")]
    pub view_variance: Option<PathBuf>,
    /// Region of each sample, n whole numbers, -1 for none [default: clustered from the embeddings when needed]
    #[arg(long, value_name = "NPY")]
    pub regions: Option<PathBuf>,
    /// Embeddings of the source data, m x d
    #[arg(long, value_name = "NPY")]
    pub source_embeddings: Option<PathBuf>,
    /// Labels of the source data, m
    #[arg(long, value_name = "NPY", requires = "source_embeddings")]
    pub source_labels: Option<PathBuf>,
    /// The seed of all randomness
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// CPU threads [default: all cores]
    #[arg(long, short = 'j')]
    pub threads: Option<usize>,
    /// Print {"picks": [..]} as JSON
    #[arg(long)]
    pub json: bool,
}
