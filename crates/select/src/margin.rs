use crate::Ranker;
use hybridrepair_core::{Evidence, Need, Needs, Probs};

/// The smallest margin `p_(1) - p_(2)` between the two most probable classes (Scheffer et al., IDA 2001; "PCS" in
/// Weiss & Tonella, ISSTA 2022).
///
/// A ranker: deterministic, one pass over the `n x C` probabilities. Score: 1 - margin, in [0, 1]. With one class
/// there is no runner-up and every margin is 0.
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{Margin, Strategy};
/// let probs = Probs::new(ndarray::array![[0.9, 0.1, 0.0], [0.4, 0.3, 0.3], [0.5, 0.5, 0.0]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let picked = Margin.select(&Pool::counted(3), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [2, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Margin;

impl Ranker for Margin {
    type On<'e> = &'e Probs;

    fn name(&self) -> &'static str {
        "margin"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs])
    }

    fn on<'e>(&self, evidence: &'e Evidence) -> Option<&'e Probs> {
        evidence.probs.as_ref()
    }

    fn score(&self, probs: &&Probs, row: usize) -> f64 {
        let [(_, first), (_, second)] = probs.top2(row);
        1.0 - (f64::from(first) - f64::from(second))
    }

    fn reason(&self, probs: &&Probs, row: usize) -> String {
        let [(a, first), (b, second)] = probs.top2(row);
        format!("margin {:.3} between classes {a} and {b}", f64::from(first) - f64::from(second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strategy;
    use hybridrepair_core::{Pool, Streams};
    use ndarray::array;

    #[test]
    fn the_closest_race_comes_first() {
        let probs = Probs::new(array![[0.75, 0.25, 0.0], [0.375, 0.25, 0.375], [0.5, 0.25, 0.25]]).unwrap();
        let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
        let picked = Margin.select(&Pool::counted(3), &evidence, 3, &mut Streams::new(0).named("s")).unwrap();
        assert_eq!(picked.picks.iter().map(|p| p.score).collect::<Vec<_>>(), [1.0, 0.75, 0.5]);
        assert_eq!(picked.picks[0].reason, "margin 0.000 between classes 0 and 2");
    }
}
