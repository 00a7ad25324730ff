use crate::{ClassId, CoreError, Probs};
use ndarray::Array2;

/// The temperature by which logits (`n x C`) must be divided to fit labels best: the least mean negative log-likelihood on
/// held-out samples (Guo et al. 2017), between 0.05 and 20.
///
/// # Panics
/// When there is not one label per row.
pub fn temperature(logits: &Array2<f32>, labels: &[ClassId]) -> f64 {
    assert_eq!(logits.nrows(), labels.len(), "one label per row");
    let loss = |log_t: f64| {
        let t = log_t.exp();
        let rows = logits.outer_iter().zip(labels).map(|(z, label)| {
            let max = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum = z.iter().map(|&v| (f64::from(v - max) / t).exp()).sum::<f64>();
            sum.ln() - f64::from(z[label.column()] - max) / t
        });
        rows.sum::<f64>()
    };
    // the loss has one minimum in 1 / T, so also in log T: golden section
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.05f64.ln(), 20f64.ln());
    for _ in 0..40 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) <= loss(b) { high = b } else { low = a }
    }
    f64::midpoint(low, high).exp()
}

/// Softmax of logits divided by a temperature.
///
/// # Errors
/// When a logit is not finite.
pub fn calibrated(logits: &Array2<f32>, temperature: f64) -> Result<Probs, CoreError> {
    Probs::from_logits(&logits.mapv(|z| (f64::from(z) / temperature) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overconfident_model_is_cooled_down() {
        // it says 20:1 and is right 3 times in 4: log 3 = log 20 / T
        let logits = Array2::from_shape_fn((400, 2), |(_, c)| if c == 0 { 20f32.ln() } else { 0.0 });
        let labels = (0..400).map(|i| ClassId(u32::from(i % 4 == 0))).collect::<Vec<_>>();
        let t = temperature(&logits, &labels);
        assert!((t - 20f64.ln() / 3f64.ln()).abs() < 1e-4, "{t}");
        assert!((calibrated(&logits, t).unwrap().row(0)[0] - 0.75).abs() < 1e-4);
    }
}
