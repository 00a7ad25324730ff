use crate::candidates::{Candidates, required};
use crate::{SelectError, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};

/// The largest Gini impurity `1 - sum_c p_c^2` (`DeepGini`: Feng et al., ISSTA 2020, eq. 1).
///
/// A ranker: deterministic, one pass over the `n x C` probabilities. Score: the impurity, in [0, 1 - 1/C].
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{Gini, Strategy};
/// let probs = Probs::new(ndarray::array![[0.9, 0.1, 0.0], [0.4, 0.3, 0.3], [0.5, 0.5, 0.0]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let picked = Gini.select(&Pool::counted(3), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Gini;

impl Strategy for Gini {
    fn name(&self) -> &'static str {
        "gini"
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
        let scores = candidates.score(|row| probs.gini(row));
        Ok(candidates.best(&scores, |row| format!("Gini impurity {:.3}", probs.gini(row))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Probs, Streams};
    use ndarray::array;

    #[test]
    fn ties_go_to_the_lower_id_and_scores_are_impurities() {
        let probs = Probs::new(array![[1.0, 0.0], [0.5, 0.5], [0.2, 0.8], [0.5, 0.5]]).unwrap();
        let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
        let picked = Gini.select(&Pool::counted(4), &evidence, 3, &mut Streams::new(0).named("s")).unwrap();
        assert_eq!(picked.rows().iter().map(|i| i.row()).collect::<Vec<_>>(), [1, 3, 2]);
        assert_eq!(picked.picks[0].score, 0.5);
        assert_eq!(picked.picks[0].reason, "Gini impurity 0.500");
    }
}
