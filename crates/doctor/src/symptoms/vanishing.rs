use super::Sign;
use crate::{Probe, Thresholds};

/// The first layer's gradient is small against the last one's, and small by itself.
pub fn vanishing(probe: &Probe, t: &Thresholds) -> Sign {
    let (ratio, first) = (probe.ratio(), probe.first());
    // both norms 0: the ratio is NaN and nothing is said
    (ratio < t.vanish_ratio && first < t.vanish_norm)
        .then(|| format!("the first layer's gradient is {ratio:.1e} of the last one's, {first:.1e} in norm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_probe;
    use proptest::prelude::*;

    #[test]
    fn needs_both() {
        let t = Thresholds::default();
        assert!(vanishing(&test_probe(&[2e-6, 1.0, 0.01], 0.0), &t).is_some());
        assert!(vanishing(&test_probe(&[2e-4, 1.0, 10.0], 0.0), &t).is_none());
        assert!(vanishing(&test_probe(&[2e-6, 1.0, 1e-3], 0.0), &t).is_none());
        assert!(vanishing(&test_probe(&[0.0, 0.0], 0.0), &t).is_none());
        assert!(vanishing(&test_probe(&[0.0, f64::NAN], 0.0), &t).is_none());
        assert!(vanishing(&test_probe(&[0.0, f64::INFINITY], 0.0), &t).is_some());
    }

    proptest! {
        /// Scaling all gradients leaves ratio and share of zeros.
        #[test]
        fn scale_leaves_the_ratio(norms in prop::collection::vec(1e-6f64..1e3, 1..6), c in 1e-3f64..1e3) {
            let (a, b) = (test_probe(&norms, 0.5), test_probe(&norms.iter().map(|n| n * c).collect::<Vec<_>>(), 0.5));
            prop_assert!((a.ratio() / b.ratio() - 1.0).abs() < 1e-9);
            prop_assert_eq!(a.zeros, b.zeros);
        }
    }
}
