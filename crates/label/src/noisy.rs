use crate::annotator::labels_of;
use crate::oracle::answered;
use crate::{Annotator, Answer, LabelError};
use hybridrepair_core::{ClassId, Ledger, PoolIdx, Purpose, SealedLabels, Selection, Streams};
use rand::Rng;

/// Simulated annotators who give a wrong class with a fixed probability, each other class equally often.
///
/// The error of annotator `k` on a sample comes from the stream (seed, `noisy-oracle`, row, k): it does not depend on what
/// was asked before, so a resumed run gets the answers of an uninterrupted one. The ledger notes the class that was said,
/// not the sealed one. A sample on which the annotators are at odds gets no label.
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
    answers: usize,
    purpose: Purpose,
}

impl NoisyOracle {
    /// One annotator, wrong with probability `rate` in [0, 1] among `classes` classes; `by` names the stage in the ledger.
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
        let (answers, purpose) = (1, Purpose::Annotate);
        Ok(Self { sealed, classes, rate, streams, by: by.into(), answers, purpose })
    }

    /// So many annotators, each of whom answers on every sample and is paid for it.
    #[must_use]
    pub fn answers(mut self, answers: usize) -> Self {
        self.answers = answers.max(1);
        self
    }

    /// What the answers are for; training unless said otherwise.
    #[must_use]
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// What an annotator says of a sample.
    fn said(&self, idx: PoolIdx, annotator: usize, truth: ClassId) -> ClassId {
        let mut rng = self.streams.at("noisy-oracle", u64::from(idx.0), annotator as u64);
        if rng.r#gen::<f64>() >= self.rate {
            return truth;
        }
        let other = rng.gen_range(0..self.classes - 1);
        ClassId::from(other + usize::from(other >= truth.column()))
    }

    fn name(&self, annotator: usize) -> String {
        if self.answers == 1 { self.by.clone() } else { format!("{}-{}", self.by, annotator + 1) }
    }
}

impl Annotator for NoisyOracle {
    fn annotate(&mut self, ask: &Selection, ledger: &mut Ledger) -> Result<Answer, LabelError> {
        let known = answered(ledger);
        for pick in &ask.picks {
            for annotator in 0..self.answers {
                let by = self.name(annotator);
                if !known.contains(&(pick.idx, by.clone())) {
                    let said = |truth| self.said(pick.idx, annotator, truth);
                    ledger.buy_said(&self.sealed, pick.idx, self.purpose, &by, said)?;
                }
            }
        }
        Ok(Answer::Complete(labels_of(ask, ledger)))
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
        let mut ledger = Ledger::new(5);
        noisy(0.5).annotate(&ask(&[7, 9]), &mut ledger).unwrap();
        assert_eq!(noisy(0.5).annotate(&ask(&[4, 9, 2, 7, 11]), &mut ledger).unwrap(), whole);
        assert_eq!(ledger.bought(), 5, "two were bought before");
        // what is noted is what was said
        for entry in ledger.entries() {
            assert_eq!(entry.class, whole.labels().get(entry.idx.unwrap()).map(|l| l.class));
        }
    }

    #[test]
    fn three_annotators_are_right_more_often_than_one_and_cost_three_times_as_much() {
        let rows: Vec<u32> = (0..4000).collect();
        let mut ledger = Ledger::new(12_000);
        let answer = noisy(0.2).answers(3).annotate(&ask(&rows), &mut ledger).unwrap();
        let right = answer.labels().iter().filter(|l| l.class.0 == l.idx.0 % 4).count();
        // two or three of three right: 0.896; the rest is wrong, or three different answers
        assert!((3520..3650).contains(&right), "{right}");
        assert!(answer.labels().len() < 4000, "ties have no label");
        assert_eq!(ledger.bought(), 12_000);
        assert_eq!(ledger.entries()[2].by, "annotate-3");
    }

    #[test]
    fn impossible_rates_are_refused() {
        for (rate, classes) in [(-0.1, 4), (1.1, 4), (f64::NAN, 4), (0.1, 1)] {
            assert!(NoisyOracle::new(sealed(1), classes, rate, Streams::new(0), "a").is_err(), "{rate} {classes}");
        }
        assert!(NoisyOracle::new(sealed(1), 1, 0.0, Streams::new(0), "a").is_ok());
    }
}
