use crate::reading::largest;

/// The largest gain from one epoch to the next; NaN of fewer than two.
pub fn largest_gain(curve: &[f64]) -> f64 {
    largest(&curve.windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>())
}

/// Share of its height by which a falling curve still fell over its last half, by the means of that half's two halves; 0
/// when it did not fall or is too short to say.
pub fn still_falling(curve: &[f64]) -> f64 {
    let half = &curve[curve.len() / 2..];
    if half.len() < 4 {
        return 0.0;
    }
    let (a, b) = half.split_at(half.len() / 2);
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (before, after) = (mean(a), mean(b));
    if before > 0.0 && after < before { (before - after) / before } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_and_falls() {
        assert!((largest_gain(&[0.5, 0.52, 0.4, 0.41]) - 0.02).abs() < 1e-12);
        assert!(largest_gain(&[0.5]).is_nan());
        assert!((still_falling(&[9.0, 9.0, 9.0, 9.0, 4.0, 4.0, 3.0, 3.0]) - 0.25).abs() < 1e-12);
        assert_eq!(still_falling(&[1.0; 8]), 0.0);
        assert_eq!(still_falling(&[3.0, 2.0, 1.0]), 0.0);
    }
}
