use crate::annotator::labels_of;
use crate::{Annotator, Answer, LabelError};
use hybridrepair_core::{Ledger, PoolIdx, Purpose, SealedLabels, Selection};
use std::collections::BTreeSet;

/// A simulated annotator that is always right. It reads of the sealed labels only what is bought, and buys nothing that
/// the ledger holds already.
///
/// ```
/// use hybridrepair_core::{ClassId, Ledger, Pick, PoolIdx, SampleId, SealedLabels, Selection};
/// use hybridrepair_label::{Annotator, Answer, Oracle};
/// let sealed = SealedLabels::seal("field pool", vec![ClassId(3), ClassId(5)]);
/// let pick = Pick { id: SampleId(1), idx: PoolIdx(1), rank: 0, score: 0.0, region: None, reason: String::new() };
/// let mut ledger = Ledger::new(1);
/// let answer = Oracle::new(sealed, "annotate").annotate(&Selection { picks: vec![pick] }, &mut ledger)?;
/// assert_eq!(answer.labels().get(PoolIdx(1)).map(|l| l.class), Some(ClassId(5)));
/// assert_eq!(ledger.bought(), 1);
/// # Ok::<(), hybridrepair_label::LabelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Oracle {
    sealed: SealedLabels,
    by: String,
    purpose: Purpose,
}

impl Oracle {
    /// Over the sealed labels of a pool; `by` names the stage in the ledger.
    pub fn new(sealed: SealedLabels, by: impl Into<String>) -> Self {
        Self { sealed, by: by.into(), purpose: Purpose::Annotate }
    }

    /// What its answers are for; training unless said otherwise.
    #[must_use]
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }
}

impl Annotator for Oracle {
    fn annotate(&mut self, ask: &Selection, ledger: &mut Ledger) -> Result<Answer, LabelError> {
        let known = answered(ledger);
        for pick in &ask.picks {
            if !known.contains(&(pick.idx, self.by.clone())) {
                ledger.buy_said(&self.sealed, pick.idx, self.purpose, &self.by, |truth| truth)?;
            }
        }
        Ok(Answer::Complete(labels_of(ask, ledger)))
    }
}

/// Who has answered on what.
pub(crate) fn answered(ledger: &Ledger) -> BTreeSet<(PoolIdx, String)> {
    ledger.entries().iter().filter(|e| e.is_answer()).filter_map(|e| Some((e.idx?, e.by.clone()))).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, Pick, SampleId};

    /// A selection of rows whose ids are 100 above.
    pub(crate) fn ask(rows: &[u32]) -> Selection {
        let pick = |(rank, &row): (usize, &u32)| Pick {
            id: SampleId(u64::from(row) + 100),
            idx: PoolIdx(row),
            rank,
            score: 0.0,
            region: None,
            reason: String::new(),
        };
        Selection { picks: rows.iter().enumerate().map(pick).collect() }
    }

    pub(crate) fn sealed(n: u32) -> SealedLabels {
        SealedLabels::seal("field pool", (0..n).map(|i| ClassId(i % 4)).collect())
    }

    #[test]
    fn only_what_is_bought_is_read_and_nothing_twice() {
        let mut ledger = Ledger::new(3);
        let mut oracle = Oracle::new(sealed(10), "annotate");
        let first = oracle.annotate(&ask(&[5, 2]), &mut ledger).unwrap();
        assert_eq!(first.labels().get(PoolIdx(5)).unwrap().class, ClassId(1));
        let second = oracle.annotate(&ask(&[2, 7]), &mut ledger).unwrap();
        assert_eq!(second.labels().len(), 2);
        assert_eq!(ledger.bought(), 3);
        // another process goes on with the ledger
        let mut again = Oracle::new(sealed(10), "annotate");
        assert_eq!(again.annotate(&ask(&[2, 7]), &mut ledger).unwrap(), second);
        assert!(again.annotate(&ask(&[9]), &mut ledger).is_err(), "the fourth of three");
        assert!(matches!(again.annotate(&ask(&[10]), &mut Ledger::new(1)), Err(LabelError::Core(_))));
    }
}
