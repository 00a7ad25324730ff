use crate::{ClassId, PoolIdx};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a label comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Came with the data (source training set).
    Given,
    /// Bought: a person or an oracle answered.
    Bought,
    /// Spread from a bought label.
    Propagated,
    /// Guessed by a model.
    Pseudo,
}

/// One label of a pool sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The sample.
    pub idx: PoolIdx,
    /// Its class.
    pub class: ClassId,
    /// Where the label comes from.
    pub provenance: Provenance,
    /// Trust in [0, 1]; 1 for bought labels.
    pub weight: f32,
}

/// At most one label per sample, in row order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelSet(BTreeMap<PoolIdx, Label>);

impl LabelSet {
    /// No labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a label; returns the one it replaces.
    pub fn insert(&mut self, label: Label) -> Option<Label> {
        self.0.insert(label.idx, label)
    }

    /// Adds a bought label with full weight.
    pub fn insert_bought(&mut self, idx: PoolIdx, class: ClassId) -> Option<Label> {
        self.insert(Label { idx, class, provenance: Provenance::Bought, weight: 1.0 })
    }

    /// The label of a sample.
    pub fn get(&self, idx: PoolIdx) -> Option<&Label> {
        self.0.get(&idx)
    }

    /// Whether the sample has a label.
    pub fn contains(&self, idx: PoolIdx) -> bool {
        self.0.contains_key(&idx)
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All labels in row order.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.0.values()
    }
}

impl FromIterator<Label> for LabelSet {
    fn from_iter<T: IntoIterator<Item = Label>>(labels: T) -> Self {
        Self(labels.into_iter().map(|l| (l.idx, l)).collect())
    }
}
