//! Empirical variational Bayes matrix factorisation: how much of a matrix is signal, from its singular values alone.

use crate::brent::minimum;
use serde::{Deserialize, Serialize};

/// Which details are followed where the published code is known to go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Tall matrices are transposed, the tolerance is relative to the noise, dense layers are read as well, and sides that
    /// are too small to show anything are left out.
    #[default]
    Fixed,
    /// As the published code does: no transposition, an absolute tolerance of 1e-5 on the variance of the noise, convolutions
    /// alone, every side of them.
    Upstream,
}

/// What is signal in a matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Factor {
    /// Variance of the noise per entry.
    pub noise: f64,
    /// Singular values of the signal, shrunk by what noise adds to them, in falling order. Their number is the rank.
    pub kept: Vec<f64>,
}

/// Separates signal from noise in an `rows x cols` matrix with these singular values, in falling order (Nakajima et al.,
/// "Global analytic solution of fully-observed variational Bayesian matrix factorization", JMLR 14, 2013).
///
/// The variance of the noise minimises the free energy in one dimension. With [`Variant::Fixed`] the result is the same for a
/// matrix and its transpose, and scales with the matrix. `None` when the bounds of the noise contradict each other, which
/// happens for very tall matrices with [`Variant::Upstream`].
pub fn evbmf(singular: &[f64], rows: usize, cols: usize, variant: Variant) -> Option<Factor> {
    let largest = singular.first().copied().unwrap_or(0.0);
    if largest <= 0.0 || rows == 0 || cols == 0 {
        return Some(Factor::default());
    }
    match variant {
        Variant::Fixed => {
            // in units of the largest singular value, so that a scaled matrix gives a scaled answer
            let unit = singular.iter().map(|s| s / largest).collect::<Vec<_>>();
            let (l, m) = (rows.min(cols), rows.max(cols));
            let mean = unit.iter().map(|s| s * s).sum::<f64>() / (l * m) as f64;
            let factor = solve(&unit, l, m, 1e-10 * mean)?;
            let kept = factor.kept.into_iter().map(|d| d * largest).collect();
            Some(Factor { noise: factor.noise * largest * largest, kept })
        }
        Variant::Upstream => solve(singular, rows, cols, 1e-5),
    }
}

fn solve(s: &[f64], rows: usize, cols: usize, tolerance: f64) -> Option<Factor> {
    let (l, m) = (rows as f64, cols as f64);
    let a = l / m;
    let t = 2.5129 * a.sqrt();
    let edge = (1.0 + t) * (1.0 + a / t);
    let squares = s.iter().map(|s| s * s).collect::<Vec<_>>();
    let upper = squares.iter().sum::<f64>() / (l * m);
    // at most this many are signal; the rest bounds the noise from below
    let most = ((l / (1.0 + a)).ceil() as usize).saturating_sub(1).min(s.len());
    let rest = squares.get(most..).filter(|rest| !rest.is_empty())?;
    let mean = rest.iter().sum::<f64>() / rest.len() as f64;
    let lower = (rest[0] / (m * edge)).max(mean / m);
    if lower > upper * (1.0 + 1e-12) {
        return None;
    }
    let energy = |v: f64| squares.iter().map(|s2| free_energy(s2 / (m * v), a, edge)).sum::<f64>();
    // a matrix of rank 0 has no noise either
    let noise = if upper > lower { minimum(energy, lower, upper, tolerance) } else { upper };
    let threshold = m * noise * edge;
    let kept = squares.iter().filter(|s2| **s2 > threshold).map(|&s2| shrunk(s2, l, m, noise)).collect();
    Some(Factor { noise, kept })
}

/// What one squared singular value adds to the free energy; `x` in units of the noise of a row.
fn free_energy(x: f64, a: f64, edge: f64) -> f64 {
    if x <= 0.0 {
        // a direction that is not there says nothing about the noise
        return 0.0;
    }
    if x <= edge {
        return x - x.ln();
    }
    let b = x - (1.0 + a);
    let tau = 0.5 * (b + (b * b - 4.0 * a).max(0.0).sqrt());
    x - tau + ((tau + 1.0) / x).ln() + a * (tau / a + 1.0).ln()
}

/// A singular value without what noise has added to it.
fn shrunk(s2: f64, l: f64, m: f64, noise: f64) -> f64 {
    let b = 1.0 - (l + m) * noise / s2;
    0.5 * s2.sqrt() * (b + (b * b - 4.0 * l * m * noise * noise / (s2 * s2)).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_signal() {
        assert_eq!(evbmf(&[0.0; 4], 4, 9, Variant::Fixed), Some(Factor::default()));
        assert_eq!(evbmf(&[], 0, 0, Variant::Fixed), Some(Factor::default()));
        // one row: all is noise
        let one = evbmf(&[3.0], 1, 9, Variant::Fixed).unwrap();
        assert!(one.kept.is_empty() && (one.noise - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_spike_above_equal_values_is_the_signal() {
        let mut s = vec![1.0; 16];
        s[0] = 50.0;
        let f = evbmf(&s, 16, 64, Variant::Fixed).unwrap();
        assert_eq!(f.kept.len(), 1);
        assert!(f.kept[0] > 49.9 && f.kept[0] < 50.0);
    }

    #[test]
    fn upstream_cannot_read_very_tall_matrices() {
        let s = (0..27).map(|i| 2.0 - 0.02 * f64::from(i)).collect::<Vec<_>>();
        assert_eq!(evbmf(&s, 512, 27, Variant::Upstream), None);
        assert!(evbmf(&s, 512, 27, Variant::Fixed).is_some());
    }
}
