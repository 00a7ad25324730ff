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

    /// Labels that nobody has: of pictures that people must label.
    pub fn unknown(what: impl Into<String>) -> Self {
        Self { labels: Vec::new(), what: what.into() }
    }

    /// The labels of the chosen rows, in the given order, still sealed; of unknown ones none.
    ///
    /// # Panics
    /// When a row does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let rows = if self.is_empty() { &[] } else { rows };
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
    /// Bought of a random sample to estimate accuracy by: counts against the budget, and is never trained on.
    Judge,
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
    /// The class that was said, when one label was bought.
    pub class: Option<ClassId>,
    /// What it cost, in labels.
    pub cost: f64,
    /// How long the answer took, where that is known.
    pub seconds: Option<f64>,
    /// When it was given, where its source says so (ISO 8601); the ledger's own lines say when they were written.
    pub answered: Option<String>,
}

impl Entry {
    /// Whether this is an answer about one sample; one without a class is "cannot tell".
    pub fn is_answer(&self) -> bool {
        self.idx.is_some() && matches!(self.purpose, Purpose::Annotate | Purpose::Judge)
    }
}

/// What was said about one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The sample.
    pub idx: PoolIdx,
    /// Its class; `None` is "cannot tell".
    pub class: Option<ClassId>,
    /// Whether it is for training or for judging.
    pub purpose: Purpose,
    /// Where the answer came from: a file, a label page.
    pub what: String,
    /// Who says so.
    pub by: String,
    /// How long it took.
    pub seconds: Option<f64>,
    /// What it cost, in labels.
    pub cost: f64,
    /// When it was given, where its source says so.
    pub answered: Option<String>,
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

    /// Buys the label of one pool sample for training.
    ///
    /// # Errors
    /// When the budget is spent, or the row does not exist.
    pub fn buy(&mut self, sealed: &SealedLabels, idx: PoolIdx, by: &str) -> Result<ClassId, CoreError> {
        self.buy_said(sealed, idx, Purpose::Annotate, by, |truth| truth)
    }

    /// Buys the answer of a simulated annotator, who says `said(truth)`. That is what is noted: the true class stays sealed.
    ///
    /// # Errors
    /// When the budget is spent, or the row does not exist.
    pub fn buy_said(
        &mut self,
        sealed: &SealedLabels,
        idx: PoolIdx,
        purpose: Purpose,
        by: &str,
        said: impl FnOnce(ClassId) -> ClassId,
    ) -> Result<ClassId, CoreError> {
        let truth = *sealed.labels.get(idx.row()).ok_or(CoreError::OutsidePool { idx, len: sealed.len() })?;
        if self.bought >= self.budget {
            return Err(CoreError::BudgetSpent { asked: self.bought + 1, budget: self.budget });
        }
        let class = said(truth);
        let (what, by) = (sealed.what.clone(), by.to_owned());
        self.record(Reply { idx, class: Some(class), purpose, what, by, seconds: None, cost: 1.0, answered: None });
        Ok(class)
    }

    /// Notes an answer that has been given. It is never refused: people have worked for it. What is above the budget shows
    /// in [`Ledger::bought`].
    pub fn record(&mut self, reply: Reply) {
        let Reply { idx, class, purpose, what, by, seconds, cost, answered } = reply;
        self.bought += usize::from(cost > 0.0);
        self.entries.push(Entry { what, purpose, by, count: 1, idx: Some(idx), class, cost, seconds, answered });
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
            seconds: None,
            answered: None,
        });
        &sealed.labels
    }

    /// Answers that cost something, so far.
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
    fn what_was_said_is_noted_and_not_the_truth() {
        let sealed = SealedLabels::seal("field pool", vec![ClassId(4)]);
        let mut ledger = Ledger::new(2);
        let said = ledger.buy_said(&sealed, PoolIdx(0), Purpose::Judge, "noisy", |truth| ClassId(truth.0 + 1));
        assert_eq!((said, ledger.entries()[0].class), (Ok(ClassId(5)), Some(ClassId(5))));
        let reply = |cost| Reply {
            idx: PoolIdx(0),
            class: None,
            purpose: Purpose::Annotate,
            what: "page".into(),
            by: "ann".into(),
            seconds: Some(2.5),
            cost,
            answered: None,
        };
        for cost in [1.0, 0.0, 1.0] {
            ledger.record(reply(cost));
        }
        assert_eq!((ledger.bought(), ledger.budget()), (3, 2), "an answer that was given is never refused");
        assert!(ledger.entries()[1].is_answer());
        assert!(SealedLabels::unknown("field").select(&[0, 1]).is_empty());
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
