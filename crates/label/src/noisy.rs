use crate::{Annotator, Answer, LabelError};
use hybridrepair_core::{ClassId, LabelSet, Ledger, PoolIdx, SealedLabels, Selection, Streams};
use rand::Rng;

/// A simulated annotator that gives a wrong class with a fixed probability, each other class equally often.
///
/// The error of a sample comes from the stream (seed, `noisy-oracle`, row): it does not depend on what was asked before,
/// so a resumed run gets the answers of an uninterrupted one. The ledger notes the sealed label that was read, the answer
/// holds the class that was said.
///
/// ```
/// use hybridrepair_core::{ClassId, Ledger, Pick, PoolIdx, SampleId, SealedLabels, Selection, Streams};
/// use hybridrepair_label::{Annotator, NoisyOracle};
/// let sealed = SealedLabels::seal("field pool", vec![ClassId(0)]);
/// let pick = Pick { id: SampleId(0), idx: PoolIdx(0), rank: 0, score: 0.0, region: None, reason: String::new() };
/// let mut always_wrong = NoisyOracle::new(sealed, 2, 1.0, Streams::new(10), "annotate")?;
/// let answer = always_wrong.annotate(&Selection { picks: vec![pick] }, &mut Ledger::new(1))?;
/// assert_eq!(answer.labels().get(PoolIdx(0)).map(|l| l.class), Some(ClassId(1)));
/// # Ok::<(), hybridrepair_label::LabelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NoisyOracle {
    sealed: SealedLabels,
    classes: usize,
    rate: f64,
    streams: Streams,
    by: String,
    known: LabelSet,
}

impl NoisyOracle {
    /// Wrong with probability `rate` in [0, 1] among `classes` classes; `by` names the stage in the ledger.
    ///
    /// # Errors
    /// When the rate is no probability, or errors are asked for where there is no other class.
    pub fn new(
        sealed: SealedLabels,
        classes: usize,
        rate: f64,
        streams: Streams,
        by: impl Into<String>,
    ) -> Result<Self, LabelError> {
        if !(0.0..=1.0).contains(&rate) || (rate > 0.0 && classes < 2) {
            return Err(LabelError::ErrorRate { rate, classes });
        }
        Ok(Self { sealed, classes, rate, streams, by: by.into(), known: LabelSet::new() })
    }

    /// Goes on from labels that were bought before: they are given again and not bought again.
    #[must_use]
    pub fn resumed(mut self, known: LabelSet) -> Self {
        self.known = known;
        self
    }

    /// What this annotator says of a sample.
    fn said(&self, idx: PoolIdx, truth: ClassId) -> ClassId {
        let mut rng = self.streams.at("noisy-oracle", u64::from(idx.0), 0);
        if rng.r#gen::<f64>() >= self.rate {
            return truth;
        }
        let other = rng.gen_range(0..self.classes - 1);
        ClassId::from(other + usize::from(other >= truth.column()))
    }
}

impl Annotator for NoisyOracle {
    fn annotate(&mut self, ask: &Selection, ledger: &mut Ledger) -> Result<Answer, LabelError> {
        for pick in &ask.picks {
            if !self.known.contains(pick.idx) {
                let truth = ledger.buy(&self.sealed, pick.idx, &self.by)?;
                self.known.insert_bought(pick.idx, self.said(pick.idx, truth));
            }
        }
        let given = ask.picks.iter().filter_map(|pick| self.known.get(pick.idx).copied()).collect();
        Ok(Answer::Complete(given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::tests::{ask, sealed};

    fn noisy(rate: f64) -> NoisyOracle {
        NoisyOracle::new(sealed(4000), 4, rate, Streams::new(3), "annotate").unwrap()
    }

    #[test]
    fn errors_come_at_the_rate_and_spread_over_the_other_classes() {
        let rows: Vec<u32> = (0..4000).collect();
        let answer = noisy(0.25).annotate(&ask(&rows), &mut Ledger::new(4000)).unwrap();
        let mut moved = [0u32; 4];
        for label in answer.labels().iter() {
            moved[((label.class.0 + 4 - label.idx.0 % 4) % 4) as usize] += 1;
        }
        assert!((2900..3100).contains(&moved[0]), "{moved:?}");
        assert!(moved[1..].iter().all(|m| (270..400).contains(m)), "{moved:?}");
    }

    #[test]
    fn a_resumed_oracle_says_what_an_uninterrupted_one_says() {
        let mut ledger = Ledger::new(9);
        let whole = noisy(0.5).annotate(&ask(&[4, 9, 2, 7, 11]), &mut ledger).unwrap();
        let part = noisy(0.5).annotate(&ask(&[7, 9]), &mut ledger).unwrap();
        let mut resumed = noisy(0.5).resumed(part.labels().clone());
        let mut ledger = Ledger::new(3);
        assert_eq!(resumed.annotate(&ask(&[4, 9, 2, 7, 11]), &mut ledger).unwrap(), whole);
        assert_eq!(ledger.bought(), 3, "two were bought before");
    }

    #[test]
    fn impossible_rates_are_refused() {
        for (rate, classes) in [(-0.1, 4), (1.1, 4), (f64::NAN, 4), (0.1, 1)] {
            assert!(NoisyOracle::new(sealed(1), classes, rate, Streams::new(0), "a").is_err(), "{rate} {classes}");
        }
        assert!(NoisyOracle::new(sealed(1), 1, 0.0, Streams::new(0), "a").is_ok());
    }
}
