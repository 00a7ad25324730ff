use crate::Error;
use hybridrepair_finetune::MatchRule;
use std::str::FromStr;

/// How a model is repaired once labels are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trainer {
    /// Not at all.
    None,
    /// Without labels: batch-norm statistics and class frequencies of the field.
    ZeroLabel,
    /// Supervised fine-tune on replay and labels.
    Supervised,
    /// The published two passes.
    Published,
    /// Weak-to-strong training, all or nothing at a fixed confidence.
    FixMatch,
    /// Weak-to-strong training, weighted by confidence.
    SoftMatch,
    /// Weak-to-strong training, all or nothing at a moving confidence per class.
    FreeMatch,
}

const NAMES: [(Trainer, &str); 7] = [
    (Trainer::None, "none"),
    (Trainer::ZeroLabel, "zero-label"),
    (Trainer::Supervised, "supervised"),
    (Trainer::Published, "published"),
    (Trainer::FixMatch, "fixmatch"),
    (Trainer::SoftMatch, "softmatch"),
    (Trainer::FreeMatch, "freematch"),
];

impl Trainer {
    /// Its name on the command line and in `summary.json`.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(t, _)| *t == self).map_or("none", |(_, name)| name)
    }

    /// Whether it learns from bought labels.
    pub fn takes_labels(self) -> bool {
        !matches!(self, Self::None | Self::ZeroLabel)
    }

    /// The rule of weak-to-strong training.
    pub fn rule(self) -> Option<MatchRule> {
        match self {
            Self::FixMatch => Some(MatchRule::FixMatch),
            Self::SoftMatch => Some(MatchRule::SoftMatch),
            Self::FreeMatch => Some(MatchRule::FreeMatch),
            _ => None,
        }
    }
}

impl FromStr for Trainer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        NAMES.iter().find(|(_, n)| *n == name).map(|(t, _)| *t).ok_or_else(|| {
            let known = NAMES.map(|(_, n)| n).join(", ");
            Error::Config(format!("unknown trainer {name:?}; known are {known}"))
        })
    }
}
