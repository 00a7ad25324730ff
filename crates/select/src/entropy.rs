use crate::Ranker;
use hybridrepair_core::{Evidence, Need, Needs, Probs};

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

impl Ranker for Entropy {
    type On<'e> = &'e Probs;

    fn name(&self) -> &'static str {
        "entropy"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs])
    }

    fn on<'e>(&self, evidence: &'e Evidence) -> Option<&'e Probs> {
        evidence.probs.as_ref()
    }

    fn score(&self, probs: &&Probs, row: usize) -> f64 {
        probs.entropy(row)
    }

    fn reason(&self, probs: &&Probs, row: usize) -> String {
        format!("entropy {:.3} bits", probs.entropy(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strategy;
    use hybridrepair_core::{Pool, Streams};
    use ndarray::array;

    #[test]
    fn a_certain_answer_comes_last() {
        let probs = Probs::new(array![[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], [0.0, 0.5, 0.5]]).unwrap();
        let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
        let picked = Entropy.select(&Pool::counted(3), &evidence, 3, &mut Streams::new(0).named("s")).unwrap();
        assert_eq!(picked.picks.iter().map(|p| p.score).collect::<Vec<_>>(), [1.5, 1.0, 0.0]);
    }
}
