/// The median; the mean of the two in the middle where the number is even. NaN for nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        _ => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The harmonic mean `K / sum(1 / u_k)`: the mean of the normalised times decides. 0 when one is 0.
///
/// ```
/// assert_eq!(hybridrepair_arena::harmonic_mean(&[1.0, 2.0, 4.0]), 12.0 / 7.0);
/// ```
pub fn harmonic_mean(values: &[f64]) -> f64 {
    values.len() as f64 / values.iter().map(|u| 1.0 / u).sum::<f64>()
}

/// A performance profile (Dolan and More, 2002) at `tau`: the share of tasks that are solved within `tau` times the best.
///
/// `ratios` has, for each task, the time over that of the best entry; infinity where it is not solved.
pub fn profile(ratios: &[f64], tau: f64) -> f64 {
    ratios.iter().filter(|r| **r <= tau).count() as f64 / ratios.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_numbers() {
        assert_eq!(harmonic_mean(&[1.0, 2.0, 4.0]), 12.0 / 7.0);
        assert_eq!(harmonic_mean(&[0.0, 2.0]), 0.0);
        // twice as slow on one task hurts more than twice as fast on another helps
        assert!(harmonic_mean(&[0.5, 2.0]) < 1.0);
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0])), (2.0, 2.5));
        assert!(median(&[]).is_nan());
        let ratios = [1.0, 1.5, f64::INFINITY, 4.0];
        assert_eq!([1.0, 2.0, 4.0, 1e9].map(|tau| profile(&ratios, tau)), [0.25, 0.5, 0.75, 0.75]);
    }
}
