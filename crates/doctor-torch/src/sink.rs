use hybridrepair_doctor::{Facts, Finding, Reading};
use hybridrepair_torch::Tensor;
use std::{collections::HashMap, path::PathBuf};

/// Which weights of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Of the best validation accuracy.
    Best,
    /// Of the last epoch.
    Last,
}

/// Named tensors.
pub type Snapshot = Vec<(String, Tensor)>;

/// Where trainings leave what they show. Failures to write are kept by whoever implements it: training goes on to its end.
pub trait Sink {
    /// Readings of a training of this name that was interrupted, to go on with; none by default.
    fn begin(&mut self, _name: &str, _facts: &Facts) -> Vec<Reading> {
        Vec::new()
    }

    /// An epoch.
    fn reading(&mut self, _name: &str, _reading: &Reading) {}

    /// A problem.
    fn finding(&mut self, _name: &str, _finding: &Finding) {}

    /// Weights to keep.
    fn keep(&mut self, name: &str, moment: Moment, weights: Snapshot);

    /// Weights that were kept.
    fn load(&self, name: &str, moment: Moment) -> Option<Snapshot>;

    /// Where the state of a training in progress is kept, if it is.
    fn state_file(&self, _name: &str) -> Option<PathBuf> {
        None
    }
}

/// Keeps weights in memory.
#[derive(Debug, Default)]
pub struct InMemory {
    weights: HashMap<(String, Moment), Snapshot>,
}

impl Sink for InMemory {
    fn keep(&mut self, name: &str, moment: Moment, weights: Snapshot) {
        self.weights.insert((name.to_owned(), moment), weights);
    }

    fn load(&self, name: &str, moment: Moment) -> Option<Snapshot> {
        self.weights.get(&(name.to_owned(), moment)).map(|w| w.iter().map(|(n, t)| (n.clone(), t.copy())).collect())
    }
}
