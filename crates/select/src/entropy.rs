use crate::candidates::{Candidates, required};
use crate::{SelectError, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};

/// The largest Shannon entropy `-sum_c p_c log2 p_c` (Settles, Active Learning Literature Survey, 2009).
///
/// A ranker: deterministic, one pass over the `n x C` probabilities. Score: the entropy in bits, in [0, log2 C].
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{Entropy, Strategy};
/// let probs = Probs::new(ndarray::array![[0.9, 0.1, 0.0], [0.4, 0.3, 0.3], [0.5, 0.5, 0.0]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let picked = Entropy.select(&Pool::counted(3), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy;

impl Strategy for Entropy {
    fn name(&self) -> &'static str {
        "entropy"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs])
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        _: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let probs = required(evidence.probs.as_ref(), self, Need::Probs)?;
        let scores = candidates.score(|row| probs.entropy(row));
        Ok(candidates.best(&scores, |row| format!("entropy {:.3} bits", probs.entropy(row))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Probs, Streams};
    use ndarray::array;

    #[test]
    fn a_certain_answer_comes_last() {
        let probs = Probs::new(array![[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], [0.0, 0.5, 0.5]]).unwrap();
        let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
        let picked = Entropy.select(&Pool::counted(3), &evidence, 3, &mut Streams::new(0).named("s")).unwrap();
        assert_eq!(picked.picks.iter().map(|p| p.score).collect::<Vec<_>>(), [1.5, 1.0, 0.0]);
    }
}
