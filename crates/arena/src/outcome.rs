use serde::{Deserialize, Serialize};
use std::fmt;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The target was reached: the only success.
    Reached,
    /// Work or time was used up.
    Limit,
    /// The entry gave up, or believed to be done.
    Returned,
    /// The parameters were no finite numbers.
    Diverged,
    /// The entry took more memory than allowed, and was ended.
    Memory,
    /// The process of the entry ended without a word.
    Died,
    /// The entry changed files that are not its own.
    Tampered,
    /// The entry asked what has no answer, or did not keep to the protocol.
    Invalid,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Reached,
        Self::Limit,
        Self::Returned,
        Self::Diverged,
        Self::Memory,
        Self::Died,
        Self::Tampered,
        Self::Invalid,
    ];

    /// Its name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Limit => "limit",
            Self::Returned => "returned",
            Self::Diverged => "diverged",
            Self::Memory => "memory",
            Self::Died => "died",
            Self::Tampered => "tampered",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A point of a run's curve: what a probe saw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Work so far.
    pub work: f64,
    /// Seconds so far.
    pub seconds: f64,
    /// Loss on the target split.
    pub loss: f64,
}

/// What the referee says of a finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// Work done.
    pub work: f64,
    /// Seconds taken.
    pub seconds: f64,
    /// Probes.
    pub probes: usize,
    /// Lowest loss that a probe saw, if there was one.
    pub best: Option<f64>,
    /// Loss of the last parameters on the target split.
    pub loss: f64,
    /// Their loss on the holdout.
    pub holdout_loss: f64,
    /// Questions after the run was over.
    pub late_questions: u64,
    /// What the probes saw.
    pub curve: Vec<Seen>,
}
