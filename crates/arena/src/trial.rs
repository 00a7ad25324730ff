use crate::{Outcome, Verdict};
use serde::{Deserialize, Serialize};

/// A finished run of an entry on a task: a line of `trials.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Version of the line.
    pub v: u32,
    /// The task.
    pub task: String,
    /// The entry.
    pub entry: String,
    /// Seed of initial parameters, order of the data and the entry's own draws.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Seconds until then.
    pub seconds: f64,
    /// Work until then.
    pub work: f64,
    /// Probes.
    pub probes: usize,
    /// Loss of the last parameters on the target split; none where it is no number.
    pub loss: Option<f64>,
    /// Their loss on the holdout.
    pub holdout_loss: Option<f64>,
    /// What else is to be told: questions after the end, a signal, changed files, last words on standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Trial {
    /// The record of a verdict.
    pub fn new(task: &str, entry: &str, seed: u64, verdict: &Verdict, note: Option<String>) -> Self {
        let finite = |loss: f64| Some(loss).filter(|l| l.is_finite());
        Self {
            v: 1,
            task: task.to_owned(),
            entry: entry.to_owned(),
            seed,
            outcome: verdict.outcome,
            seconds: verdict.seconds,
            work: verdict.work,
            probes: verdict.probes,
            loss: finite(verdict.loss),
            holdout_loss: finite(verdict.holdout_loss),
            note,
        }
    }
}
