use crate::candidates::Candidates;
use crate::{SelectError, Strategy};
use hybridrepair_core::{Evidence, Needs, Pool, Selection, Stream};

/// A rule that scores each sample by itself; as a [`Strategy`] it takes the largest scores.
///
/// Every ranker is a strategy: deterministic, one pass over the evidence, ties by the lowest id, and a smaller budget gives
/// the first picks of a larger one. [`Power`](crate::Power) draws by the same scores instead.
///
/// ```
/// use hybridrepair_core::{Evidence, Need, Needs, Pool, Probs, Streams};
/// use hybridrepair_select::{Ranker, Strategy};
/// /// The samples that the model takes for class 0.
/// struct ClassZero;
/// impl Ranker for ClassZero {
///     type On<'e> = &'e Probs;
///     fn name(&self) -> &'static str { "class_zero" }
///     fn needs(&self) -> Needs { Needs::of(&[Need::Probs]) }
///     fn on<'e>(&self, evidence: &'e Evidence) -> Option<&'e Probs> { evidence.probs.as_ref() }
///     fn score(&self, on: &&Probs, row: usize) -> f64 { f64::from(on.row(row)[0]) }
///     fn reason(&self, on: &&Probs, row: usize) -> String { format!("class 0 with {:.2}", self.score(on, row)) }
/// }
/// let probs = Probs::new(ndarray::array![[0.2, 0.8], [0.9, 0.1]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let picked = ClassZero.select(&Pool::counted(2), &evidence, 1, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.picks[0].reason, "class 0 with 0.90");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Ranker: Send + Sync {
    /// The evidence that it looks at.
    type On<'e>: Sync;

    /// As [`Strategy::name`].
    fn name(&self) -> &'static str;

    /// As [`Strategy::needs`].
    fn needs(&self) -> Needs;

    /// Its evidence, when all of it is there.
    fn on<'e>(&self, evidence: &'e Evidence) -> Option<Self::On<'e>>;

    /// The score of a row: finite, larger is better.
    fn score(&self, on: &Self::On<'_>, row: usize) -> f64;

    /// Why this row, in words.
    fn reason(&self, on: &Self::On<'_>, row: usize) -> String;
}

impl<R: Ranker> Strategy for R {
    fn name(&self) -> &str {
        Ranker::name(self)
    }

    fn needs(&self) -> Needs {
        Ranker::needs(self)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        _: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let (candidates, on) = open(self, self, pool, evidence, budget)?;
        let scores = candidates.score(|row| self.score(&on, row));
        Ok(candidates.best(&scores, |row| self.reason(&on, row)))
    }
}

/// The candidates and the evidence of a ranker that works for a strategy.
pub(crate) fn open<'a, 'e, R: Ranker>(
    strategy: &dyn Strategy,
    ranker: &R,
    pool: &'a Pool,
    evidence: &'e Evidence,
    budget: usize,
) -> Result<(Candidates<'a>, R::On<'e>), SelectError> {
    let candidates = Candidates::open(strategy, pool, evidence, budget)?;
    let missing = || evidence.missing(Ranker::needs(ranker)).or_else(|| Ranker::needs(ranker).iter().next());
    match (ranker.on(evidence), missing) {
        (Some(on), _) => Ok((candidates, on)),
        (None, missing) => match missing() {
            Some(need) => Err(SelectError::Needs { strategy: strategy.name().to_owned(), need }),
            None => Err(SelectError::Undeclared { strategy: strategy.name().to_owned() }),
        },
    }
}
