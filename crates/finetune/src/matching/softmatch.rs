use super::weighting::{Weighting, follow, top};

/// How much of the running moments a batch leaves standing. The published 0.999 belongs to a million steps; a repair has
/// some hundred to some thousand.
const KEEP: f64 = 0.99;

/// Weight `exp(-(n (mu - c))^2 / (2 sigma^2))` below the mean confidence `mu`, 1 above it, with `n = 2` and running moments
/// (`SoftMatch`, Chen et al. 2023, equations 5 to 8).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SoftMatch {
    moments: Option<(f64, f64)>,
}

impl Weighting for SoftMatch {
    fn weigh(&mut self, probs: &[f32], classes: usize) -> Vec<f32> {
        let confidence = probs.chunks_exact(classes).map(|row| f64::from(top(row).1)).collect::<Vec<_>>();
        let n = confidence.len() as f64;
        let mean = confidence.iter().sum::<f64>() / n.max(1.0);
        let variance = confidence.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        let mu = follow(self.moments.map(|m| m.0), mean, KEEP);
        let sigma = follow(self.moments.map(|m| m.1), variance, KEEP);
        self.moments = Some((mu, sigma));
        let weight = |c: f64| {
            let below = (mu - c).max(0.0);
            // sigma^2 / n^2 with n = 2
            (-below * below / (2.0 * (sigma / 4.0).max(1e-12))).exp() as f32
        };
        confidence.into_iter().map(weight).collect()
    }

    fn state(&self) -> Vec<f64> {
        self.moments.map_or_else(Vec::new, |(mu, sigma)| vec![mu, sigma])
    }

    fn load_state(&mut self, state: &[f64]) {
        self.moments = <[f64; 2]>::try_from(state).ok().map(|[mu, sigma]| (mu, sigma));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let mut rule = SoftMatch::default();
        let w = rule.weigh(&[0.9, 0.1, 0.7, 0.3], 2);
        // mean 0.8, variance 0.02, so sigma^2 / 4 = 0.005 and the weight exp(-0.01 / 0.01)
        assert_eq!(w[0], 1.0);
        assert!((f64::from(w[1]) - (-1f64).exp()).abs() < 1e-5);
        rule.weigh(&[1.0, 0.0, 1.0, 0.0], 2);
        let (mu, sigma) = rule.moments.unwrap();
        assert!((mu - 0.802).abs() < 1e-6 && (sigma - 0.0198).abs() < 1e-6);
    }
}
