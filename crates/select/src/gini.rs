use crate::Ranker;
use hybridrepair_core::{Evidence, Need, Needs, Probs};

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

impl Ranker for Gini {
    type On<'e> = &'e Probs;

    fn name(&self) -> &'static str {
        "gini"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs])
    }

    fn on<'e>(&self, evidence: &'e Evidence) -> Option<&'e Probs> {
        evidence.probs.as_ref()
    }

    fn score(&self, probs: &&Probs, row: usize) -> f64 {
        probs.gini(row)
    }

    fn reason(&self, probs: &&Probs, row: usize) -> String {
        format!("Gini impurity {:.3}", probs.gini(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strategy;
    use hybridrepair_core::{Pool, Streams};
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
