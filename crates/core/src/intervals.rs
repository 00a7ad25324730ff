//! Intervals for shares of a small random sample.

use serde::{Deserialize, Serialize};

/// An estimate with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The normal distribution's two-sided 95 % quantile.
const Z: f64 = 1.959_963_984_540_054;

/// A share of `right` among `n` (Wilson 1927, score interval). Of nothing nothing is known: [0, 1].
pub fn share(right: usize, n: usize) -> Interval {
    if n == 0 {
        return Interval { value: 0.5, low: 0.0, high: 1.0 };
    }
    let (k, n) = (right as f64, n as f64);
    let p = k / n;
    let middle = (k + Z * Z / 2.0) / (n + Z * Z);
    let half = Z / (n + Z * Z) * (n * p * (1.0 - p) + Z * Z / 4.0).sqrt();
    Interval { value: p, low: (middle - half).clamp(0.0, p), high: (middle + half).clamp(p, 1.0) }
}

/// The difference of two shares on the same `n` samples, of which `up` went from wrong to right and `down` the other way
/// (Bonett and Price 2012: a Wald interval after one more of each).
///
/// # Panics
/// When more samples changed than there are.
pub fn paired_difference(up: usize, down: usize, n: usize) -> Interval {
    assert!(up + down <= n, "{up} and {down} of {n} changed");
    if n == 0 {
        return Interval { value: 0.0, low: -1.0, high: 1.0 };
    }
    let value = (up as f64 - down as f64) / n as f64;
    let more = n as f64 + 2.0;
    let (a, b) = ((up as f64 + 1.0) / more, (down as f64 + 1.0) / more);
    let half = Z * ((a + b - (a - b) * (a - b)) / more).sqrt();
    Interval { value, low: (a - b - half).clamp(-1.0, value), high: (a - b + half).clamp(value, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_papers() {
        // statsmodels.stats.proportion.proportion_confint(20, 40, method="wilson") = (0.3519953, 0.6480047)
        let half = share(20, 40);
        assert!((half.low - 0.351_995).abs() < 1e-6 && (half.high - 0.648_005).abs() < 1e-6, "{half:?}");
        // (0, 10): (0, 0.2775328)
        let none = share(0, 10);
        assert!(none.low.abs() < 1e-12 && (none.high - 0.277_533).abs() < 1e-6, "{none:?}");
        // by hand: a = 13/42, b = 4/42, half = z sqrt((17/42 - (9/42)^2) / 42)
        let gain = paired_difference(12, 3, 40);
        assert!((gain.value - 0.225).abs() < 1e-12);
        let half = Z * ((17.0f64 / 42.0 - (9.0f64 / 42.0).powi(2)) / 42.0).sqrt();
        assert!((gain.low - (9.0 / 42.0 - half)).abs() < 1e-12 && (gain.high - (9.0 / 42.0 + half)).abs() < 1e-12);
        assert_eq!(paired_difference(0, 0, 0), Interval { value: 0.0, low: -1.0, high: 1.0 });
    }

    #[test]
    fn intervals_hold_what_they_promise() {
        use crate::Streams;
        use rand::Rng;
        let mut rng = Streams::new(1).named("intervals");
        let (mut shares, mut gains) = (0, 0);
        for _ in 0..4000 {
            let (mut right, mut up, mut down) = (0, 0, 0);
            for _ in 0..40 {
                right += usize::from(rng.r#gen::<f64>() < 0.8);
                let u = rng.r#gen::<f64>();
                up += usize::from(u < 0.15);
                down += usize::from((0.15..0.2).contains(&u));
            }
            let s = share(right, 40);
            shares += usize::from(s.low <= 0.8 && 0.8 <= s.high);
            let g = paired_difference(up, down, 40);
            gains += usize::from(g.low <= 0.1 && 0.1 <= g.high);
        }
        // the exact coverage of this n and share is 0.9283, by summing the binomial: within four standard deviations
        assert!((3648..3779).contains(&shares), "{shares} of 4000");
        assert!((3720..3960).contains(&gains), "{gains} of 4000");
    }
}
