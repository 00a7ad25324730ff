use crate::{Head, PatchError, Samples, head::classes_of};
use hybridrepair_core::ClassId;
use serde::Serialize;

/// What a moved decision threshold does to a class: the trade-off that every repair of the class must beat, since it takes
/// one number and no search.
///
/// Raising the bias of class `c` by `t` repairs a wrong sample of `c` once `t` is beyond its margin `max z_j - z_c`, and
/// breaks a right sample of another class once it is beyond that sample's margin. Both margins are known beforehand, so the
/// curve is exact: there is no grid of biases.
#[derive(Clone, Debug, PartialEq)]
pub struct BiasCurve {
    /// Margins of the wrong samples of the class, rising.
    repaired_at: Vec<f64>,
    /// Margins of the right samples of other classes, rising.
    broken_at: Vec<f64>,
    /// Right samples of all classes.
    positives: usize,
}

/// A point of the trade-off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Share of all right samples that are wrong now, in [0, 1].
    pub br: f64,
    /// Share of the wrong samples of the class that are right now, in [0, 1].
    pub rr: f64,
}

impl BiasCurve {
    /// The curve of a class on these samples.
    ///
    /// # Errors
    /// When the features do not fit the layer.
    pub fn new(head: &Head, samples: &Samples, class: ClassId) -> Result<Self, PatchError> {
        let logits = head.logits(samples.features.view())?;
        let said = classes_of(&logits);
        let c = class.column();
        let (mut repaired_at, mut broken_at, mut positives) = (Vec::new(), Vec::new(), 0);
        for ((z, said), truth) in logits.outer_iter().zip(&said).zip(&samples.labels) {
            let other = z.iter().enumerate().filter(|(j, _)| *j != c).fold(f32::NEG_INFINITY, |m, (_, v)| m.max(*v));
            let margin = f64::from(other) - f64::from(z[c]);
            positives += usize::from(said == truth);
            match (said == truth, *truth == class) {
                (false, true) => repaired_at.push(margin),
                (true, false) => broken_at.push(margin),
                _ => {}
            }
        }
        repaired_at.sort_by(f64::total_cmp);
        broken_at.sort_by(f64::total_cmp);
        Ok(Self { repaired_at, broken_at, positives })
    }

    /// Wrong samples of the class.
    pub fn negatives(&self) -> usize {
        self.repaired_at.len()
    }

    /// Largest repair rate of a threshold that breaks no more than this share of the right samples.
    pub fn at(&self, br: f64) -> f64 {
        // a share that stands for a whole number may lie a rounding below it
        let broken = (br.max(0.0) * self.positives as f64 + 1e-9).floor() as usize;
        self.with_broken(broken)
    }

    fn with_broken(&self, broken: usize) -> f64 {
        // the bias stops short of the next right sample
        let limit = self.broken_at.get(broken).copied().unwrap_or(f64::INFINITY);
        let repaired = self.repaired_at.partition_point(|&m| m < limit);
        repaired as f64 / self.repaired_at.len().max(1) as f64
    }

    /// Its corners up to this break rate, from no break on, at most `count` of them and the last one always.
    pub fn points(&self, up_to: f64, count: usize) -> Vec<CurvePoint> {
        let positives = self.positives.max(1) as f64;
        let most = ((up_to * positives).ceil() as usize).min(self.broken_at.len());
        let step = most.div_ceil(count.max(2) - 1).max(1);
        let mut broken = (0..=most).step_by(step).collect::<Vec<_>>();
        if broken.last() != Some(&most) {
            broken.push(most);
        }
        broken.into_iter().map(|b| CurvePoint { br: b as f64 / positives, rr: self.with_broken(b) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Outcome};
    use hybridrepair_core::Streams;
    use ndarray::{Array1, Array2};
    use rand::Rng;

    #[test]
    fn no_bias_does_better_and_one_does_as_well() {
        let mut rng = Streams::new(3).named("curve");
        for _ in 0..20 {
            let mut draw = || rng.gen_range(-1.0f32..1.0);
            let head = Head::new(Array2::from_shape_simple_fn((4, 3), &mut draw), Array1::zeros(4), "fc").unwrap();
            let features = Array2::from_shape_simple_fn((120, 3), &mut draw);
            let labels = (0..120).map(|_| ClassId(rng.gen_range(0..4))).collect();
            let (samples, class) = (Samples::new(features, labels, 4).unwrap(), ClassId(2));
            let curve = BiasCurve::new(&head, &samples, class).unwrap();
            let before = head.predict(samples.features.view()).unwrap();
            let mut reached = std::collections::BTreeSet::new();
            for step in 0..400 {
                let new = step as f32 * 0.01;
                let change = Change { weight: head.weight_ref(2, None), old: 0.0, new };
                let after = head.patched(&[change]).unwrap().predict(samples.features.view()).unwrap();
                let o = Outcome::new(&before, &after, &samples.labels, Some(class));
                let best = curve.at(o.break_rate());
                assert!(o.repair_rate() <= best + 1e-12, "{o:?} beats {best}");
                if (o.repair_rate() - best).abs() < 1e-12 {
                    reached.insert(o.broken);
                }
            }
            assert!(reached.len() > 5, "the curve is reached at {reached:?}");
            let points = curve.points(1.0, 10);
            assert!(points.len() <= 11 && points.windows(2).all(|w| w[0].br < w[1].br && w[0].rr <= w[1].rr));
            assert_eq!((points[0].br, points.last().unwrap().rr), (0.0, 1.0));
        }
    }
}
