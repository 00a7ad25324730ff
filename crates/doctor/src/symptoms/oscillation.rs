/// Swings of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swings {
    /// How many are at least as large as asked.
    pub count: usize,
    /// The mean size of those.
    pub mean: f64,
}

/// The published count: local maxima and local minima, ends excluded and plateaus in both lists, are paired by their place
/// in time; pairs at least `size` apart count.
pub fn paired_swings(curve: &[f64], size: f64) -> Swings {
    let at = |keep: fn(f64, f64) -> bool| {
        let points = curve.windows(3).filter(|w| keep(w[1], w[0]) && keep(w[1], w[2]));
        points.map(|w| w[1]).collect::<Vec<_>>()
    };
    let (high, low) = (at(|a, b| a >= b), at(|a, b| a <= b));
    collect(high.iter().zip(&low).map(|(a, b)| a - b), size)
}

/// Falls between consecutive extrema: from a local maximum to the lowest point before the next, at least `size` deep.
pub fn swings(curve: &[f64], size: f64) -> Swings {
    let mut falls = Vec::new();
    let mut top = f64::NAN;
    for w in curve.windows(2) {
        if w[1] < w[0] {
            if top.is_nan() {
                top = w[0];
            }
        } else if w[1] > w[0] && !top.is_nan() {
            falls.push(top - w[0]);
            top = f64::NAN;
        }
    }
    if let (false, Some(last)) = (top.is_nan(), curve.last()) {
        falls.push(top - last);
    }
    collect(falls.into_iter(), size)
}

fn collect(sizes: impl Iterator<Item = f64>, size: f64) -> Swings {
    let large = sizes.filter(|s| *s >= size).collect::<Vec<_>>();
    Swings { count: large.len(), mean: large.iter().sum::<f64>() / large.len().max(1) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extrema_are_paired_by_place_and_by_time() {
        let saw = [0.5, 0.6, 0.5, 0.6, 0.5, 0.6, 0.5];
        assert_eq!(paired_swings(&saw, 0.03).count, 2, "three maxima, two inner minima");
        assert_eq!(swings(&saw, 0.03).count, 3);
        assert!((swings(&saw, 0.03).mean - 0.1).abs() < 1e-12);
        assert_eq!(swings(&saw, 0.2).count, 0);
        // a plateau is both, and its swing is 0
        assert_eq!(paired_swings(&[0.5; 9], 0.0).count, 7);
        assert_eq!(paired_swings(&[0.5; 9], 0.01).count, 0);
        assert_eq!(swings(&[0.5; 9], 0.0).count, 0);
        // a slow decline is one swing
        assert_eq!(swings(&[0.9, 0.8, 0.7, 0.6], 0.03).count, 1);
        assert_eq!(swings(&[], 0.03).count, 0);
    }
}
