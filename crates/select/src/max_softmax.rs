use crate::Ranker;
use hybridrepair_core::{Evidence, Need, Needs, Probs};

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

impl Ranker for MaxSoftmax {
    type On<'e> = &'e Probs;

    fn name(&self) -> &'static str {
        "max_softmax"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs])
    }

    fn on<'e>(&self, evidence: &'e Evidence) -> Option<&'e Probs> {
        evidence.probs.as_ref()
    }

    fn score(&self, probs: &&Probs, row: usize) -> f64 {
        1.0 - f64::from(probs.top2(row)[0].1)
    }

    fn reason(&self, probs: &&Probs, row: usize) -> String {
        let (class, confidence) = probs.top2(row)[0];
        format!("confidence {confidence:.3} in class {class}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strategy;
    use hybridrepair_core::{Pool, Streams};
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
