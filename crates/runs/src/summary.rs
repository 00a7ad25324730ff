use crate::{RunsError, read_json, write_json};
use hybridrepair_core::{
    intervals::{Interval, paired_difference, share},
    metrics::{Change, ClassChange},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// `summary.json`: the numbers of a run. Accuracies are fractions in [0, 1].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this file's format: [`Summary::FORMAT_VERSION`].
    pub format_version: u32,
    /// Name of the whole pipeline.
    pub method: String,
    /// Selection rule; `none` when nothing was bought.
    pub strategy: String,
    /// Objective; `none` when nothing was trained.
    pub trainer: String,
    /// `published`, `corrected` or `default`.
    pub preset: String,
    /// `full`: all layers were trained; `cheap`: what lies behind a frozen trunk.
    #[serde(default = "full")]
    pub tier: String,
    /// Extractor of the embeddings.
    pub features: String,
    /// The seed that all randomness comes from.
    pub seed: u64,
    /// `cpu`, `cuda:0` ...
    pub device: String,
    /// Threads.
    pub threads: usize,
    /// What might be spent.
    pub budget: BudgetNumbers,
    /// What was spent.
    pub labels_bought: usize,
    /// What the repair did on the holdout; where there is none, on the random share of the field pool.
    pub holdout: HoldoutNumbers,
    /// Field accuracy by the random share of the budget, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_share: Option<FieldEstimate>,
    /// Whether a choice was made on inputs (never labels) of the holdout: preset `published` does.
    pub holdout_inputs_used: bool,
    /// Images times backward passes.
    pub images_trained: u64,
    /// Images times forward passes without a backward pass.
    pub images_forward: u64,
    /// Images times backward passes of self-supervised pretraining.
    pub images_pretrain: u64,
    /// Seconds per stage.
    pub seconds: BTreeMap<String, f64>,
    /// The repaired model, relative to the run; null when there is none.
    pub checkpoint: Option<String>,
}

/// Runs from before there was a choice trained all layers.
fn full() -> String {
    "full".to_owned()
}

/// Accuracy on the field pool, estimated from random samples of it that were never trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldEstimate {
    /// Samples.
    pub n: usize,
    /// Whether `holdout` shows these samples, because there is no other.
    pub instead_of_holdout: bool,
    /// Of the model as it was deployed.
    pub raw: Interval,
    /// Of the repaired model.
    pub after: Interval,
    /// `after - raw`, paired.
    pub gain: Interval,
}

impl FieldEstimate {
    /// From the deployed model against the repaired one.
    pub fn new(change: &Change, instead_of_holdout: bool) -> Self {
        let right = |accuracy: f64| (accuracy * change.n as f64).round() as usize;
        Self {
            n: change.n,
            instead_of_holdout,
            raw: share(right(change.before), change.n),
            after: share(right(change.after), change.n),
            gain: paired_difference(change.repaired, change.broken, change.n),
        }
    }
}

/// A budget as a count and as a share of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetNumbers {
    /// Labels.
    pub count: usize,
    /// Labels over the size of the pool.
    pub fraction: f64,
}

impl BudgetNumbers {
    /// So many labels of a pool.
    pub fn new(count: usize, pool: usize) -> Self {
        Self { count, fraction: count as f64 / pool.max(1) as f64 }
    }
}

/// Three models on the same holdout: as deployed (`raw`), after the cached replay fine-tune (`before`), repaired (`after`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldoutNumbers {
    /// Samples.
    pub n: usize,
    /// Accuracy of the model as it was deployed.
    pub raw: f64,
    /// Accuracy after the replay fine-tune, the same model for all presets and methods.
    pub before: f64,
    /// Accuracy of the repaired model.
    pub after: f64,
    /// Wrong in `before`, right in `after`.
    pub repaired: usize,
    /// Right in `before`, wrong in `after`.
    pub broken: usize,
    /// Wrong in `raw`, right in `after`.
    pub repaired_vs_raw: usize,
    /// Right in `raw`, wrong in `after`.
    pub broken_vs_raw: usize,
    /// `before` against `after` for each class that occurs.
    pub per_class: Vec<ClassChange>,
}

impl HoldoutNumbers {
    /// From the two comparisons with the repaired model.
    pub fn new(before_after: &Change, raw_after: &Change) -> Self {
        Self {
            n: before_after.n,
            raw: raw_after.before,
            before: before_after.before,
            after: before_after.after,
            repaired: before_after.repaired,
            broken: before_after.broken,
            repaired_vs_raw: raw_after.repaired,
            broken_vs_raw: raw_after.broken,
            per_class: before_after.per_class.clone(),
        }
    }
}

impl Summary {
    /// The version that this release writes and reads.
    pub const FORMAT_VERSION: u32 = 1;

    /// Writes the file in one piece.
    ///
    /// # Errors
    /// [`RunsError::BadNumber`] for what cannot be true, or a failure of the file system.
    pub fn write(&self, path: &Path) -> Result<(), RunsError> {
        self.check(path)?;
        write_json(path, self)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it is missing, no summary, of another format version, or holds what cannot be true.
    pub fn read(path: &Path) -> Result<Self, RunsError> {
        // the version first: a file of another version may fail to fit, and should be told so
        let version: Version = read_json(path)?;
        if version.format_version != Self::FORMAT_VERSION {
            return Err(RunsError::FormatVersion {
                path: path.to_owned(),
                found: version.format_version,
                supported: Self::FORMAT_VERSION,
            });
        }
        let summary: Self = read_json(path)?;
        summary.check(path)?;
        Ok(summary)
    }

    fn check(&self, path: &Path) -> Result<(), RunsError> {
        let h = &self.holdout;
        let fractions = [
            ("holdout.raw", h.raw),
            ("holdout.before", h.before),
            ("holdout.after", h.after),
            ("budget.fraction", self.budget.fraction),
        ];
        for (what, value) in fractions {
            if !(0.0..=1.0).contains(&value) {
                return Err(RunsError::BadNumber { what: format!("{what} in {}", path.display()), value });
            }
        }
        for (stage, &value) in &self.seconds {
            if !(value.is_finite() && value >= 0.0) {
                return Err(RunsError::BadNumber { what: format!("seconds.{stage} in {}", path.display()), value });
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::fs;

    pub(crate) fn example(method: &str, seed: u64, after: f64) -> Summary {
        Summary {
            format_version: 1,
            method: method.into(),
            strategy: method.into(),
            trainer: "published".into(),
            preset: "corrected".into(),
            tier: "full".into(),
            features: "penultimate".into(),
            seed,
            device: "cpu".into(),
            threads: 2,
            budget: BudgetNumbers::new(60, 6000),
            labels_bought: 60,
            holdout: HoldoutNumbers {
                n: 1000,
                raw: 0.7,
                before: 0.72,
                after,
                repaired: 50,
                broken: 10,
                repaired_vs_raw: 60,
                broken_vs_raw: 5,
                per_class: vec![],
            },
            random_share: None,
            holdout_inputs_used: false,
            images_trained: 1000,
            images_forward: 2000,
            images_pretrain: 0,
            seconds: [("finetune".to_owned(), 12.5)].into(),
            checkpoint: Some("checkpoints/best.safetensors".into()),
        }
    }

    #[test]
    fn the_field_names_are_the_published_ones() {
        let value = serde_json::to_value(example("hybrid", 10, 0.8)).unwrap();
        let keys = |v: &serde_json::Value| {
            let mut keys: Vec<_> = v.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys.join(" ")
        };
        assert_eq!(
            keys(&value),
            "budget checkpoint device features format_version holdout holdout_inputs_used images_forward \
             images_pretrain images_trained labels_bought method preset seconds seed strategy threads tier trainer"
        );
        assert_eq!(keys(&value["budget"]), "count fraction");
        assert_eq!(
            keys(&value["holdout"]),
            "after before broken broken_vs_raw n per_class raw repaired repaired_vs_raw"
        );
    }

    #[test]
    fn it_comes_back_and_nonsense_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary.json");
        let summary = example("hybrid", 10, 0.8);
        summary.write(&path).unwrap();
        assert_eq!(Summary::read(&path).unwrap(), summary);
        for after in [80.0, f64::NAN, -0.1] {
            let error = example("hybrid", 10, after).write(&path).unwrap_err();
            assert!(error.to_string().starts_with("holdout.after"), "{error}");
        }
        assert_eq!(Summary::read(&path).unwrap(), summary, "the good file stays");
    }

    #[test]
    fn another_version_and_a_cut_file_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary.json");
        fs::write(&path, r#"{"format_version": 2, "news": []}"#).unwrap();
        assert!(matches!(Summary::read(&path), Err(RunsError::FormatVersion { found: 2, .. })));
        fs::write(&path, r#"{"format_version": 1, "#).unwrap();
        assert!(matches!(Summary::read(&path), Err(RunsError::Json { .. })));
        assert!(matches!(Summary::read(&dir.path().join("none.json")), Err(RunsError::Io { .. })));
    }
}
