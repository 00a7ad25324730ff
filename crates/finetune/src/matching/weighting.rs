use super::{MatchRule, fixmatch::FixMatch, freematch::FreeMatch, softmatch::SoftMatch};

/// Gives each guess of a batch a weight in [0, 1].
pub(super) trait Weighting: std::fmt::Debug + Send {
    /// Weights of the rows of `probs`, `n x C` row by row, each summing to 1.
    fn weigh(&mut self, probs: &[f32], classes: usize) -> Vec<f32>;

    /// What it remembers from batch to batch.
    fn state(&self) -> Vec<f64>;

    /// Takes over a saved state.
    fn load_state(&mut self, state: &[f64]);
}

/// The weighting of a rule; `threshold` is that of `FixMatch`.
pub(super) fn weighting(rule: MatchRule, threshold: f64) -> Box<dyn Weighting> {
    match rule {
        MatchRule::FixMatch => Box::new(FixMatch { threshold }),
        MatchRule::SoftMatch => Box::new(SoftMatch::default()),
        MatchRule::FreeMatch => Box::new(FreeMatch::default()),
    }
}

/// Class and probability of the largest entry, the first on ties.
pub(super) fn top(row: &[f32]) -> (usize, f32) {
    let best = (1..row.len()).fold(0, |a, b| if row[b] > row[a] { b } else { a });
    (best, row[best])
}

/// Moves a running mean; the first value is taken whole. The result has the precision in which states are saved, so that a
/// resumed run goes on with the same number.
pub(super) fn follow(running: Option<f64>, now: f64, keep: f64) -> f64 {
    f64::from(running.map_or(now, |before| keep * before + (1.0 - keep) * now) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_weighs_in_range_trusts_the_certain_more_and_remembers() {
        for rule in [MatchRule::FixMatch, MatchRule::SoftMatch, MatchRule::FreeMatch] {
            let mut a = weighting(rule, 0.95);
            let probs = [0.98, 0.02, 0.5, 0.5, 0.05, 0.95, 0.6, 0.4];
            let w = a.weigh(&probs, 2);
            assert_eq!(w.len(), 4);
            assert!(w.iter().all(|w| (0.0..=1.0).contains(w)), "{rule:?} {w:?}");
            assert!(w[0] >= w[3] && w[3] >= w[1] && w[0] > w[1], "{rule:?} {w:?}");
            let mut b = weighting(rule, 0.95);
            b.load_state(&a.state());
            assert_eq!(a.weigh(&probs, 2), b.weigh(&probs, 2), "{rule:?}");
        }
    }
}
