use super::Sign;
use crate::{Probe, Thresholds};

/// The first layer's gradient is large against the last one's.
pub fn exploding(probe: &Probe, t: &Thresholds) -> Sign {
    let ratio = probe.ratio();
    (ratio > t.explode_ratio).then(|| format!("the first layer's gradient is {ratio:.0} times the last one's"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_probe;

    #[test]
    fn an_infinite_ratio_explodes_and_none_does_not() {
        let t = Thresholds::default();
        assert!(exploding(&test_probe(&[71.0, 1.0], 0.0), &t).is_some());
        assert!(exploding(&test_probe(&[69.0, 1.0], 0.0), &t).is_none());
        assert!(exploding(&test_probe(&[1.0, 0.0], 0.0), &t).is_some());
        assert!(exploding(&test_probe(&[0.0, 0.0], 0.0), &t).is_none());
    }
}
