use super::weighting::{Weighting, follow, top};

/// How much of the running means a batch leaves standing (0.999 in the paper; see `SoftMatch`).
const KEEP: f64 = 0.99;

/// Weight 1 at or above the threshold of the guessed class, 0 below: the running mean confidence, scaled by the running mean
/// probability of the class over the largest of all classes (`FreeMatch`, Wang et al. 2023, equations 5 to 7).
///
/// The fairness term of the paper is not here: guesses are aligned to the class frequencies instead.
#[derive(Clone, Debug, Default)]
pub(super) struct FreeMatch {
    confidence: Option<f64>,
    classes: Vec<f64>,
}

impl Weighting for FreeMatch {
    fn weigh(&mut self, probs: &[f32], classes: usize) -> Vec<f32> {
        let n = (probs.len() / classes).max(1) as f64;
        let guesses = probs.chunks_exact(classes).map(top).collect::<Vec<_>>();
        let mean = guesses.iter().map(|(_, c)| f64::from(*c)).sum::<f64>() / n;
        self.confidence = Some(follow(self.confidence, mean, KEEP));
        let of = |c: usize| probs.iter().skip(c).step_by(classes).map(|&p| f64::from(p)).sum::<f64>() / n;
        let now = (0..classes).map(of);
        self.classes = if self.classes.is_empty() {
            now.collect()
        } else {
            now.zip(&self.classes).map(|(now, &before)| follow(Some(before), now, KEEP)).collect()
        };
        let highest = self.classes.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let global = self.confidence.unwrap_or(mean);
        let sure = |(class, c): (usize, f32)| f64::from(c) >= global * self.classes[class] / highest;
        guesses.into_iter().map(|guess| f32::from(u8::from(sure(guess)))).collect()
    }

    fn state(&self) -> Vec<f64> {
        self.confidence.iter().chain(&self.classes).copied().collect()
    }

    fn load_state(&mut self, state: &[f64]) {
        self.confidence = state.first().copied();
        self.classes = state.iter().skip(1).copied().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rarer_class_has_a_lower_threshold() {
        let mut rule = FreeMatch::default();
        // mean confidence 0.8, class means 0.725 and 0.275: thresholds 0.8 and 0.303
        let w = rule.weigh(&[0.9, 0.1, 0.85, 0.15, 0.75, 0.25, 0.4, 0.6], 2);
        assert_eq!(w, [1.0, 1.0, 0.0, 1.0]);
        assert!((rule.confidence.unwrap() - 0.775).abs() < 1e-6);
    }
}
