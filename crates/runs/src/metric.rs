use crate::{JsonLines, RunsError};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// One line of `metrics.jsonl`: what was measured at one moment of training. Fields that were not measured are left
/// out; a number that is not finite is written as `null`, which is JSON's only word for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Version of the line's format: 1.
    pub v: u32,
    /// The stage.
    pub stage: String,
    /// Epochs completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Steps completed since the stage began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// The data: `train`, `val`, `replay` ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Top-1 accuracy in [0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acc1: Option<f64>,
    /// Mean loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Learning rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Images times backward passes since the stage began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<u64>,
    /// Seconds since the stage began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Any further numbers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, Option<f64>>,
}

impl Metric {
    /// A line without numbers for a stage.
    pub fn of(stage: &str) -> Self {
        Self { v: 1, stage: stage.to_owned(), ..Self::default() }
    }
}

/// The writer of `metrics.jsonl`.
#[derive(Debug)]
pub struct MetricLog {
    lines: JsonLines,
}

impl MetricLog {
    /// Goes on with the file, or begins it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        Ok(Self { lines: JsonLines::open(path)? })
    }

    /// Writes one line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record(&mut self, metric: &Metric) -> Result<(), RunsError> {
        self.lines.append(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_lines;

    #[test]
    fn only_what_was_measured_is_written_and_a_diverged_loss_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metrics.jsonl");
        let mut log = MetricLog::open(&path).unwrap();
        log.record(&Metric { epoch: Some(3), acc1: Some(0.8212), ..Metric::of("finetune") }).unwrap();
        let mut bad = Metric { loss: Some(f64::NAN), ..Metric::of("finetune") };
        bad.more.insert("norm".into(), Some(f64::INFINITY));
        log.record(&bad).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().next(), Some(r#"{"v":1,"stage":"finetune","epoch":3,"acc1":0.8212}"#));
        let rows = read_lines::<Metric>(&path).unwrap().rows;
        assert_eq!((rows[1].loss, rows[1].more["norm"]), (None, None));
    }
}
