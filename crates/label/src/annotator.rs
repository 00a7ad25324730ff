use crate::{LabelError, Verdict, verdicts};
use hybridrepair_core::{LabelSet, Ledger, PoolIdx, Selection};

/// The only way to a label of the pool. It may answer "not yet".
pub trait Annotator {
    /// Labels for the picks; each answer that was not given before is noted in the ledger.
    ///
    /// # Errors
    /// When the ledger's budget is spent, or a pick lies outside the pool. What was noted until then stays in the ledger.
    fn annotate(&mut self, ask: &Selection, ledger: &mut Ledger) -> Result<Answer, LabelError>;
}

/// What an annotator says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// All answers that were asked for. A pick that nobody can tell, or on which simulated annotators are at odds, has no
    /// label.
    Complete(LabelSet),
    /// Some are still missing.
    Waiting {
        /// The labels that are there.
        have: LabelSet,
        /// Picks without enough answers, in order of purchase.
        missing: Vec<PoolIdx>,
        /// Picks on which the answers are at odds: one more decides.
        ties: Vec<PoolIdx>,
    },
}

impl Answer {
    /// The labels that are there.
    pub fn labels(&self) -> &LabelSet {
        match self {
            Self::Complete(labels) | Self::Waiting { have: labels, .. } => labels,
        }
    }
}

/// The labels of the picks by the answers in a ledger.
pub(crate) fn labels_of(ask: &Selection, ledger: &Ledger) -> LabelSet {
    let verdicts = verdicts(ledger.entries());
    let mut labels = LabelSet::new();
    for pick in &ask.picks {
        if let Some(Verdict::Label { class, .. }) = verdicts.get(&pick.idx) {
            labels.insert_bought(pick.idx, *class);
        }
    }
    labels
}

/// People: what they have answered stands in the ledger already, written there by whoever took their answers.
///
/// ```
/// use hybridrepair_core::{ClassId, Ledger, Pick, PoolIdx, Purpose, Reply, SampleId, Selection};
/// use hybridrepair_label::{Annotator, Answer, People};
/// let pick = Pick { id: SampleId(41), idx: PoolIdx(0), rank: 0, score: 0.0, region: None, reason: String::new() };
/// let (ask, mut ledger) = (Selection { picks: vec![pick] }, Ledger::new(1));
/// assert!(matches!(People { answers: 1 }.annotate(&ask, &mut ledger)?, Answer::Waiting { .. }));
/// let (what, by) = ("labels.csv".to_owned(), "ann".to_owned());
/// let (idx, class, purpose) = (PoolIdx(0), Some(ClassId(1)), Purpose::Annotate);
/// ledger.record(Reply { idx, class, purpose, what, by, seconds: None, cost: 1.0, answered: None });
/// assert!(matches!(People { answers: 1 }.annotate(&ask, &mut ledger)?, Answer::Complete(_)));
/// # Ok::<(), hybridrepair_label::LabelError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct People {
    /// Answers by different people that each picture needs.
    pub answers: usize,
}

impl Annotator for People {
    fn annotate(&mut self, ask: &Selection, ledger: &mut Ledger) -> Result<Answer, LabelError> {
        let verdicts = verdicts(ledger.entries());
        let (mut missing, mut ties) = (Vec::new(), Vec::new());
        for idx in ask.picks.iter().map(|pick| pick.idx) {
            match verdicts.get(&idx) {
                Some(Verdict::Tie { .. }) => ties.push(idx),
                Some(verdict) if verdict.answers() >= self.answers => {}
                _ => missing.push(idx),
            }
        }
        let have = labels_of(ask, ledger);
        if missing.is_empty() && ties.is_empty() {
            return Ok(Answer::Complete(have));
        }
        Ok(Answer::Waiting { have, missing, ties })
    }
}
