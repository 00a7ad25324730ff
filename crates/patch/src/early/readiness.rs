use crate::{Head, PatchError, Samples, upstream::auc};
use hybridrepair_core::ClassId;
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

/// Whether a repair of a class is worth more than further training, read from features alone: no repair is run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readiness {
    /// How well a linear probe tells the class from the rest on samples it was not trained on: area under the ROC curve.
    pub probe: f64,
    /// The same for the margin of the class's logit, as the model has it.
    pub head: f64,
}

impl Readiness {
    /// What a better last layer could gain.
    pub fn potential(&self) -> f64 {
        self.probe - self.head
    }
}

/// Steps and rate of the probe's gradient descent, and its L2 penalty.
const STEPS: usize = 150;
const RATE: f64 = 0.1;
const PENALTY: f64 = 1e-3;

/// Trains the probe on `train` and reads both areas from `held_out`.
///
/// # Errors
/// When the features do not fit the layer, or one of the sets has only samples of the class, or none.
pub fn probe(head: &Head, train: &Samples, held_out: &Samples, class: ClassId) -> Result<Readiness, PatchError> {
    let mean = train.features.mapv(f64::from).mean_axis(Axis(0)).unwrap_or_default();
    let sd = train.features.mapv(f64::from).std_axis(Axis(0), 0.0).mapv(|s| s.max(1e-6));
    let scaled = |s: &Samples| (s.features.mapv(f64::from) - &mean) / &sd;
    let is = |s: &Samples| s.labels.iter().map(|l| *l == class).collect::<Vec<_>>();
    let w = logistic(&scaled(train), &is(train));
    let scores = (scaled(held_out).dot(&w.0) + w.1).mapv(|v| v as f32).to_vec();
    let logits = head.logits(held_out.features.view())?;
    let c = class.column();
    let margin = |z: ndarray::ArrayView1<'_, f32>| {
        let best = z.iter().enumerate().filter(|(j, _)| *j != c).fold(f32::NEG_INFINITY, |m, (_, v)| m.max(*v));
        z[c] - best
    };
    let margins = logits.outer_iter().map(margin).collect::<Vec<_>>();
    let area = |scores: &[f32]| {
        auc(scores, &is(held_out))
            .ok_or_else(|| PatchError::NoCase(format!("class {class} is all or nothing of the held-out samples")))
    };
    Ok(Readiness { probe: area(&scores)?, head: area(&margins)? })
}

/// L2-penalised logistic regression by gradient descent with momentum, both sides of equal weight.
fn logistic(x: &Array2<f64>, is: &[bool]) -> (Array1<f64>, f64) {
    let positives = is.iter().filter(|p| **p).count().max(1) as f64;
    let negatives = (is.len() as f64 - positives).max(1.0);
    let y = Array1::from_iter(is.iter().map(|&p| f64::from(u8::from(p))));
    let weight = y.mapv(|y| if y > 0.5 { 0.5 / positives } else { 0.5 / negatives });
    let (mut w, mut b) = (Array1::<f64>::zeros(x.ncols()), 0.0);
    let (mut vw, mut vb) = (w.clone(), 0.0);
    for _ in 0..STEPS {
        let z = x.dot(&w) + b;
        let r = (z.mapv(|z| 1.0 / (1.0 + (-z).exp())) - &y) * &weight;
        vw = vw * 0.9 + x.t().dot(&r) + &w * PENALTY;
        vb = vb * 0.9 + r.sum();
        w = w - &vw * RATE;
        b -= RATE * vb;
    }
    (w, b)
}

/// The checkpoint at which training should stop and repair begin: the first, from the third on, over which the probe has
/// risen by no more than `eps` per checkpoint within the last three while a better last layer could still gain `worth`;
/// the last one if there is none.
pub fn switch_at(series: &[Readiness], eps: f64, worth: f64) -> usize {
    let flat = |i: usize| (series[i].probe - series[i - 2].probe) / 2.0 <= eps;
    (2..series.len()).find(|&i| flat(i) && series[i].potential() >= worth).unwrap_or(series.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_does_not_use_its_features_has_potential() {
        // the class is told by feature 1, the head looks at feature 0
        let n = 200;
        let labels = (0..n).map(|i| ClassId(u32::from(i % 4 == 0))).collect::<Vec<_>>();
        let noise = |i: usize| ((i * 37 % 101) as f32) / 101.0;
        let x = Array2::from_shape_fn((n, 2), |(i, d)| {
            if d == 0 { noise(i) } else { noise(i * 13 + 5) + if i % 4 == 0 { 0.8 } else { 0.0 } }
        });
        let samples = Samples::new(x, labels, 2).unwrap();
        let head = Head::new(ndarray::array![[0.0, 0.0], [1.0, 0.0]], ndarray::array![0.0, 0.0], "fc").unwrap();
        let r = probe(&head, &samples, &samples, ClassId(1)).unwrap();
        assert!(r.probe > 0.9 && (r.head - 0.5).abs() < 0.1 && r.potential() > 0.3, "{r:?}");
        let none = samples.select(&(0..n).filter(|i| i % 4 != 0).collect::<Vec<_>>());
        assert!(probe(&head, &samples, &none, ClassId(1)).is_err());
    }

    #[test]
    fn it_switches_when_the_probe_is_flat_and_repair_is_worth_it() {
        let r = |probe, head| Readiness { probe, head };
        let rising = [r(0.6, 0.6), r(0.7, 0.6), r(0.9, 0.7), r(0.901, 0.8), r(0.902, 0.9), r(0.902, 0.902)];
        assert_eq!(switch_at(&rising, 0.005, 0.001), 4);
        assert_eq!(switch_at(&rising[..3], 0.005, 0.001), 2);
        assert_eq!(switch_at(&rising, 0.005, 0.5), 5);
    }
}
