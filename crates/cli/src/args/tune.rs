use super::{Output, TrainSettingsArgs};
use clap::{Args, Subcommand, ValueEnum};
use std::{path::PathBuf, str::FromStr, time::Duration};

/// `tune`
#[derive(Debug, Clone, Subcommand)]
pub enum TuneCommand {
    /// The initial learning rate, from short trainings and what they write into the weights
    Lr(Box<TuneLrArgs>),
}

/// How structure is read from the weights.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum EvbmfArg {
    /// Tall matrices transposed, relative tolerance, dense layers too, hopeless sides left out
    Fixed,
    /// As the published code
    Upstream,
}

/// What is searched for beside the rate.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum WithArg {
    /// Weight decay, at the found rate, by the loss on the validation split
    WeightDecay,
}

/// How a rate is looked for.
#[derive(Args, Debug, Clone, Default)]
pub struct SearchArgs {
    /// knee (from scratch), range (from a trained checkpoint), grid2020 and trust2021 (as published), random
    /// [default: knee, or range with --checkpoint]
    #[arg(long)]
    pub method: Option<String>,
    /// Epochs of a probe [default: 5]
    #[arg(long, value_name = "N")]
    pub probe_epochs: Option<usize>,
    /// Probes that the search may look at [default: 25]
    #[arg(long, value_name = "N")]
    pub budget: Option<usize>,
    /// Training time that the search may take: 90s, 5m, 1h
    #[arg(long, value_name = "TIME")]
    pub max_time: Option<Limit>,
    /// Lowest and highest rate, as in 1e-4:0.1 (knee, range, random)
    #[arg(long, value_name = "LOW:HIGH")]
    pub lr_range: Option<Bounds>,
    /// Search for it as well
    #[arg(long, value_enum, value_name = "WHAT")]
    pub with: Option<WithArg>,
    /// How structure is read from the weights [default: fixed]
    #[arg(long, value_enum)]
    pub evbmf: Option<EvbmfArg>,
    /// Training pictures of a probe, drawn by seed [default: all]
    #[arg(long, value_name = "N")]
    pub probe_images: Option<usize>,
}

/// `tune lr`
#[derive(Args, Debug, Clone)]
pub struct TuneLrArgs {
    /// The training that a rate is wanted for.
    #[command(flatten)]
    pub setting: TrainSettingsArgs,
    /// How it is looked for.
    #[command(flatten)]
    pub search: SearchArgs,
    /// Every probe begins with this trained model: the rate of a fine-tune
    #[arg(long, value_name = "FILE", conflicts_with_all = ["torchscript", "model", "width"])]
    pub checkpoint: Option<PathBuf>,
    /// Every probe begins with this scripted TorchScript module, with new weights
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "width"])]
    pub torchscript: Option<PathBuf>,
    /// Write the recipe with the found rate to this file, which `train` takes
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Go on with the search in --output-dir
    #[arg(long)]
    pub resume: bool,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// A learning rate, or the wish to have it found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// Found by short trials.
    Auto,
    /// Given.
    Fixed(f64),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Fixed).map_err(|_| format!("{text:?} is neither a number nor auto"))
    }
}

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit(pub Duration);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no time such as 90s, 5m or 1h");
        let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
        let seconds = match unit {
            "" | "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let number = number.trim().parse::<f64>().map_err(|_| wrong())?;
        let span = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        if span.is_zero() { Err(wrong()) } else { Ok(Self(span)) }
    }
}

/// Two rates in rising order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds(pub [f64; 2]);

impl FromStr for Bounds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = text.split_once(':').and_then(|(a, b)| Some([a.parse::<f64>().ok()?, b.parse::<f64>().ok()?]));
        match pair {
            Some([a, b]) if a > 0.0 && a < b && b.is_finite() => Ok(Self([a, b])),
            _ => Err(format!("{text:?} is no rising pair of rates such as 1e-4:0.1")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_languages() {
        assert_eq!("auto".parse(), Ok(Rate::Auto));
        assert_eq!("1e-3".parse(), Ok(Rate::Fixed(1e-3)));
        assert!("fast".parse::<Rate>().is_err());
        assert_eq!("1.5m".parse(), Ok(Limit(Duration::from_secs(90))));
        assert_eq!("30".parse(), Ok(Limit(Duration::from_secs(30))));
        for bad in ["", "m", "5 days", "-1s", "0s", "1e300h"] {
            assert!(bad.parse::<Limit>().is_err(), "{bad}");
        }
        assert_eq!("1e-4:0.1".parse(), Ok(Bounds([1e-4, 0.1])));
        for bad in ["0.1", "0.1:0.01", "0:1", "a:b", "1:inf"] {
            assert!(bad.parse::<Bounds>().is_err(), "{bad}");
        }
    }
}
