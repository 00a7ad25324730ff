use super::weighting::follow;

const KEEP: f64 = 0.99;

/// Moves guesses so that on average they have the class frequencies that the field is believed to have (distribution
/// alignment, Berthelot et al. 2020: `p <- p * target / mean p`, made to sum to 1).
#[derive(Clone, Debug)]
pub(super) struct Alignment {
    target: Vec<f64>,
    mean: Vec<f64>,
}

impl Alignment {
    /// Towards these class frequencies.
    pub(super) fn new(target: &[f32]) -> Self {
        Self { target: target.iter().map(|&t| f64::from(t)).collect(), mean: Vec::new() }
    }

    /// Aligns a batch of guesses in place, `n x C`.
    pub(super) fn align(&mut self, probs: &mut [f32]) {
        let classes = self.target.len();
        let n = (probs.len() / classes).max(1) as f64;
        let of = |c: usize| probs.iter().skip(c).step_by(classes).map(|&p| f64::from(p)).sum::<f64>() / n;
        let now = (0..classes).map(|c| follow(self.mean.get(c).copied(), of(c), KEEP)).collect();
        self.mean = now;
        for row in probs.chunks_exact_mut(classes) {
            for (c, p) in row.iter_mut().enumerate() {
                *p = (f64::from(*p) * self.target[c] / self.mean[c].max(1e-6)) as f32;
            }
            let sum = row.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            for p in row {
                *p /= sum;
            }
        }
    }

    /// The running mean.
    pub(super) fn state(&self) -> &[f64] {
        &self.mean
    }

    /// Takes over a saved mean.
    pub(super) fn load_state(&mut self, mean: &[f64]) {
        self.mean = mean.to_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_gets_the_wanted_means_nearly() {
        let mut alignment = Alignment::new(&[0.5, 0.5]);
        let mut probs = [0.9, 0.1, 0.6, 0.4];
        alignment.align(&mut probs);
        // row 1: 0.9 * 0.5 / 0.75 = 0.6 against 0.1 * 0.5 / 0.25 = 0.2
        assert!((probs[0] - 0.75).abs() < 1e-6 && (probs[3] - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!(alignment.state().len(), 2);
    }
}
