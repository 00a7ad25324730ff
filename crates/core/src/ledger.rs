//! Sealed labels and the ledger through which alone they are read.

use crate::{ClassId, CoreError, PoolIdx};
use serde::{Deserialize, Serialize};

/// True labels of a public data set that a run must not see, but for those it pays for.
///
/// There is no way to read one but through a [`Ledger`], which notes each reading with its purpose.
#[derive(Clone)]
pub struct SealedLabels {
    labels: Vec<ClassId>,
    what: String,
}

impl SealedLabels {
    /// Seals the labels of `what`, for instance `field pool` or `holdout`.
    pub fn seal(what: impl Into<String>, labels: Vec<ClassId>) -> Self {
        Self { labels, what: what.into() }
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The labels of the chosen rows, in the given order, still sealed.
    ///
    /// # Panics
    /// When a row does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { labels: rows.iter().map(|&i| self.labels[i]).collect(), what: self.what.clone() }
    }

    /// What is sealed.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl std::fmt::Debug for SealedLabels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedLabels({}, {} labels)", self.what, self.labels.len())
    }
}

/// Why a sealed label was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Bought for training: counts against the budget.
    Annotate,
    /// Scores the final model; no choice may depend on it.
    Evaluate,
    /// Describes a finished step (propagation accuracy, region purity); no choice may depend on it.
    Diagnose,
}

/// One reading of sealed labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What was sealed.
    pub what: String,
    /// Why it was read.
    pub purpose: Purpose,
    /// Who asked, for instance the stage.
    pub by: String,
    /// How many labels were read.
    pub count: usize,
    /// The row, when one label was read.
    pub idx: Option<PoolIdx>,
    /// The class, when one label was bought.
    pub class: Option<ClassId>,
    /// What it cost, in labels.
    pub cost: f64,
}

/// The list of all readings of sealed labels. It refuses label B + 1.
#[derive(Clone, Debug)]
pub struct Ledger {
    budget: usize,
    bought: usize,
    entries: Vec<Entry>,
}

impl Ledger {
    /// An empty ledger with a budget of so many labels.
    pub fn new(budget: usize) -> Self {
        Self { budget, bought: 0, entries: Vec::new() }
    }

    /// Buys the label of one pool sample.
    ///
    /// # Errors
    /// When the budget is spent, or the row does not exist.
    pub fn buy(&mut self, sealed: &SealedLabels, idx: PoolIdx, by: &str) -> Result<ClassId, CoreError> {
        let class = *sealed.labels.get(idx.row()).ok_or(CoreError::OutsidePool { idx, len: sealed.len() })?;
        self.note_bought(&sealed.what, idx, class, by)?;
        Ok(class)
    }

    /// Notes a label that came from elsewhere than a sealed set (a person, a file).
    ///
    /// # Errors
    /// When the budget is spent.
    pub fn note_bought(&mut self, what: &str, idx: PoolIdx, class: ClassId, by: &str) -> Result<(), CoreError> {
        if self.bought >= self.budget {
            return Err(CoreError::BudgetSpent { asked: self.bought + 1, budget: self.budget });
        }
        self.bought += 1;
        self.entries.push(Entry {
            what: what.to_owned(),
            purpose: Purpose::Annotate,
            by: by.to_owned(),
            count: 1,
            idx: Some(idx),
            class: Some(class),
            cost: 1.0,
        });
        Ok(())
    }

    /// Reads all labels, to score or to describe something that is finished.
    pub fn reveal<'a>(&mut self, sealed: &'a SealedLabels, purpose: Purpose, by: &str) -> &'a [ClassId] {
        self.entries.push(Entry {
            what: sealed.what.clone(),
            purpose,
            by: by.to_owned(),
            count: sealed.len(),
            idx: None,
            class: None,
            cost: 0.0,
        });
        &sealed.labels
    }

    /// Labels bought so far.
    pub fn bought(&self) -> usize {
        self.bought
    }

    /// Labels that may be bought in all.
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// All readings in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ledger_refuses_the_third_label_of_two() {
        let sealed = SealedLabels::seal("field pool", vec![ClassId(4), ClassId(5), ClassId(6)]);
        let mut ledger = Ledger::new(2);
        assert_eq!(ledger.buy(&sealed, PoolIdx(2), "annotate"), Ok(ClassId(6)));
        assert_eq!(ledger.buy(&sealed, PoolIdx(0), "annotate"), Ok(ClassId(4)));
        assert_eq!(ledger.buy(&sealed, PoolIdx(1), "annotate"), Err(CoreError::BudgetSpent { asked: 3, budget: 2 }));
        assert_eq!(ledger.entries().len(), 2);
    }

    #[test]
    fn a_selection_stays_sealed() {
        let sealed = SealedLabels::seal("field pool", vec![ClassId(4), ClassId(5), ClassId(6)]);
        let part = sealed.select(&[2, 0]);
        assert_eq!((part.len(), part.what()), (2, "field pool"));
        assert_eq!(Ledger::new(0).reveal(&part, Purpose::Diagnose, "test"), [ClassId(6), ClassId(4)]);
    }

    #[test]
    fn every_reading_leaves_a_line() {
        let sealed = SealedLabels::seal("holdout", vec![ClassId(0); 5]);
        let mut ledger = Ledger::new(0);
        assert_eq!(ledger.reveal(&sealed, Purpose::Evaluate, "evaluate").len(), 5);
        assert_eq!(ledger.entries()[0].count, 5);
        assert!(!format!("{sealed:?}").contains("ClassId"), "a sealed set does not print its labels");
    }
}
