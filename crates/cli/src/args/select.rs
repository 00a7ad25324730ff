use clap::Args;
use hybridrepair_core::Budget;
use std::{path::PathBuf, str::FromStr};

/// `select`
#[derive(Args, Debug, Clone)]
pub struct SelectArgs {
    /// The selection rule, for instance margin or typiclust+balanced (an unknown name lists them)
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
    /// Penultimate features of the source data, m x D [default: those of --source-embeddings]
    #[arg(long, value_name = "NPY")]
    pub source_features: Option<PathBuf>,
    /// Labels of the source data, m
    #[arg(long, value_name = "NPY")]
    pub source_labels: Option<PathBuf>,
    /// The seed of all randomness
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// CPU threads [default: all cores]
    #[arg(long, short = 'j')]
    pub threads: Option<usize>,
    /// Refuse a strategy whose estimated working memory, beside the arrays, is above this, e.g. 2GiB
    #[arg(long, value_name = "BYTES")]
    pub max_memory: Option<Bytes>,
    /// Refuse a strategy that would take longer than about so many minutes
    #[arg(long, value_name = "MINUTES", default_value_t = 60.0)]
    pub max_minutes: f64,
    /// Print {"picks": [..]} as JSON
    #[arg(long)]
    pub json: bool,
}

/// An amount of memory: `500MB`, `2GiB`, `1.5G`, or a plain number of bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bytes(pub f64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1024f64.powi(2),
            "g" | "gib" => 1024f64.powi(3),
            "t" | "tib" => 1024f64.powi(4),
            other => return Err(format!("unknown unit {other:?}; write for instance 500MB or 2GiB")),
        };
        let number: f64 = number.parse().map_err(|_| "is no amount of memory; write for instance 2GiB".to_owned())?;
        Ok(Self(number * factor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory_are_read() {
        for (text, want) in [("1024", 1024.0), ("500MB", 5e8), ("2GiB", 2_147_483_648.0), ("1.5 g", 1_610_612_736.0)] {
            assert_eq!(text.parse(), Ok(Bytes(want)), "{text}");
        }
        for bad in ["", "GiB", "-1", "1e9", "2 parsecs", "1.2.3", "nan"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
    }
}
