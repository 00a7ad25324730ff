use crate::candidates::{Candidates, required};
use crate::{SelectError, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};

/// The smallest largest probability `max_c p_c` (least confidence: Lewis & Gale, SIGIR 1994; "vanilla softmax" in
/// Weiss & Tonella, ISSTA 2022, who find it as good as `DeepGini`).
///
/// A ranker: deterministic, one pass over the `n x C` probabilities. Score: `1 - max_c p_c`, in [0, 1 - 1/C].
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{MaxSoftmax, Strategy};
/// let probs = Probs::new(ndarray::array![[0.9, 0.1, 0.0], [0.4, 0.3, 0.3], [0.5, 0.5, 0.0]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let picked = MaxSoftmax.select(&Pool::counted(3), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MaxSoftmax;

impl Strategy for MaxSoftmax {
    fn name(&self) -> &'static str {
        "max_softmax"
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
        let confidence = |row| f64::from(probs.top2(row)[0].1);
        let scores = candidates.score(|row| 1.0 - confidence(row));
        Ok(candidates.best(&scores, |row| format!("confidence {:.3} in class {}", confidence(row), probs.top1(row))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Probs, Streams};
    use ndarray::array;

    #[test]
    fn the_least_confident_comes_first() {
        let probs = Probs::new(array![[0.75, 0.25, 0.0], [0.25, 0.25, 0.5], [1.0, 0.0, 0.0]]).unwrap();
        let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
        let picked = MaxSoftmax.select(&Pool::counted(3), &evidence, 2, &mut Streams::new(0).named("s")).unwrap();
        assert_eq!(picked.picks.iter().map(|p| p.score).collect::<Vec<_>>(), [0.5, 0.25]);
        assert_eq!(picked.picks[0].reason, "confidence 0.500 in class 2");
    }
}
