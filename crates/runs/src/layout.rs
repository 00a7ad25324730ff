use std::path::{Path, PathBuf};

/// Names and places of all files of a run directory. `docs/formats.md` describes their contents.
///
/// ```
/// use hybridrepair_runs::Layout;
/// let run = Layout::new("runs/20261120-143000-signs");
/// assert!(run.checkpoint("best").ends_with("checkpoints/best.safetensors"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

/// One accessor per file.
macro_rules! files {
    ($($(#[$doc:meta])* $method:ident, $constant:ident = $name:literal;)*) => {
        $($(#[$doc])* pub(crate) const $constant: &str = $name;)*

        impl Layout {
            $($(#[$doc])* pub fn $method(&self) -> PathBuf {
                self.root.join($constant)
            })*

            /// The names of everything that a run may hold at its top level.
            pub const NAMES: &'static [&'static str] = &[$($constant),*];
        }
    };
}

files! {
    /// Resolved configuration with all defaults written out.
    config, CONFIG = "config.toml";
    /// Versions, device and command line.
    environment, ENVIRONMENT = "env.json";
    /// Stage starts and ends, warnings.
    events, EVENTS = "events.jsonl";
    /// Numbers over time.
    metrics, METRICS = "metrics.jsonl";
    /// Epochs of a watched training, with gradients.
    readings, READINGS = "readings.jsonl";
    /// Trainings of changed plans.
    attempts, ATTEMPTS = "attempts.jsonl";
    /// Readings of those trainings.
    attempt_readings, ATTEMPT_READINGS = "attempts";
    /// The plan that was trained first.
    plan_before, PLAN_BEFORE = "plan.before.toml";
    /// The plan that was kept.
    plan_after, PLAN_AFTER = "plan.after.toml";
    /// What is foretold of the repair before a label is bought.
    advice, ADVICE = "advice.json";
    /// The picks, best first, each with its reason.
    selection, SELECTION = "selection.jsonl";
    /// The random samples by which accuracy is estimated.
    random_share, RANDOM_SHARE = "random_share.jsonl";
    /// The files of the data, where it came from folders.
    files, FILES = "files.json";
    /// Every reading of sealed labels.
    ledger, LEDGER = "ledger.jsonl";
    /// Bought labels.
    labels, LABELS = "labels.jsonl";
    /// Labels spread from bought ones.
    propagated, PROPAGATED = "propagated.jsonl";
    /// The names of the classes.
    classes, CLASSES = "classes.json";
    /// What the models say of the samples that judge.
    predictions, PREDICTIONS = "predictions.csv";
    /// The field pool on the map, and what the models say of it.
    field, FIELD = "field.csv";
    /// Which pictures `thumbnails.jpg` shows.
    thumbnails, THUMBNAILS = "thumbnails.json";
    /// Small pictures of the field pool.
    thumbnail_sheet, THUMBNAIL_SHEET = "thumbnails.jpg";
    /// Groups of the field pool.
    regions, REGIONS = "regions.json";
    /// The numbers of the run.
    summary, SUMMARY = "summary.json";
    /// The report for people.
    report, REPORT = "report.html";
    /// Tasks for label tools.
    tasks, TASKS = "tasks";
    /// The search for a learning rate.
    tune, TUNE = "tune";
    /// Several trainings of one recipe.
    trials, TRIALS = "trials";
    /// Models.
    checkpoints, CHECKPOINTS = "checkpoints";
    /// Held by the process that writes.
    lock, LOCK = ".lock";
}

impl Layout {
    /// The layout of the run in this folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `checkpoints/NAME.safetensors`; the names in use are `best`, `state` and [`Layout::epoch_name`].
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.checkpoints().join(format!("{name}.safetensors"))
    }

    /// The checkpoint name of an epoch, counted from 0: `epoch-0003` is the fourth.
    pub fn epoch_name(epoch: usize) -> String {
        format!("epoch-{epoch:04}")
    }

    /// What people are asked.
    pub fn asked(&self) -> PathBuf {
        self.tasks().join("asked.json")
    }

    /// What is shown beside the pictures that people are asked about.
    pub fn context(&self) -> PathBuf {
        self.tasks().join("context.json")
    }

    /// Where repair training stands: model, optimiser and finished epochs, replaced whole after every epoch.
    pub fn state(&self) -> PathBuf {
        self.checkpoint("state")
    }

    /// A path as it is written into files of the run: relative to the run when it lies inside.
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_published_ones() {
        let run = Layout::new("r");
        assert_eq!(run.config(), Path::new("r/config.toml"));
        assert_eq!(Layout::epoch_name(3), "epoch-0003");
        assert_eq!(run.relative(&run.checkpoint("best")), "checkpoints/best.safetensors");
        assert_eq!(run.relative(Path::new("/elsewhere/a")), "/elsewhere/a");
        let distinct: std::collections::BTreeSet<_> = Layout::NAMES.iter().collect();
        assert_eq!(distinct.len(), Layout::NAMES.len());
    }
}
