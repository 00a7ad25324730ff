use crate::{Head, PatchError, Samples, WeightRef, search::LayerRange};
use hybridrepair_core::{Stream, metrics::accuracy};
use rand::{Rng, seq::SliceRandom};
use serde::Serialize;

/// A weight of the last layer that was corrupted on purpose, to see whether a repair finds and mends it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// The weight.
    pub weight: WeightRef,
    /// Its value before.
    pub was: f32,
    /// Its value now.
    pub is: f32,
    /// Accuracy that it costs on the samples, in [0, 1].
    pub cost: f64,
}

/// So many faults, each in a layer of its own: weights in random order, moved up or down, drawn by chance, by the smallest
/// of 1, 2, 4, ... 32 times the layer's range that costs at least `at_least` of the samples' accuracy; those that cost less
/// even then are passed over.
///
/// # Errors
/// When the layer has too few such weights.
pub fn plant(
    head: &Head,
    samples: &Samples,
    at_least: f64,
    count: usize,
    rng: &mut Stream,
) -> Result<Vec<Fault>, PatchError> {
    let range = LayerRange::of(head.weight.iter().copied()).width();
    let logits = head.logits(samples.features.view())?;
    let before = accuracy(&crate::head::classes_of(&logits), &samples.labels);
    let mut order = (0..head.weight.len()).collect::<Vec<_>>();
    order.shuffle(rng);
    let mut faults = Vec::new();
    for at in order {
        let (j, i) = (at / head.dim(), at % head.dim());
        let sign = if rng.gen_bool(0.5) { 1.0 } else { -1.0 };
        for power in 0..6 {
            let moved = sign * range * f64::from(1 << power);
            let mut now = logits.clone();
            for (z, x) in now.column_mut(j).iter_mut().zip(samples.features.column(i)) {
                *z += x * moved as f32;
            }
            let cost = before - accuracy(&crate::head::classes_of(&now), &samples.labels);
            if cost >= at_least {
                let was = head.weight[[j, i]];
                faults.push(Fault {
                    weight: head.weight_ref(j, Some(i)),
                    was,
                    is: (f64::from(was) + moved) as f32,
                    cost,
                });
                break;
            }
        }
        if faults.len() == count {
            return Ok(faults);
        }
    }
    let found = faults.len();
    Err(PatchError::NoCase(format!("only {found} of {count} weights cost {at_least} of the accuracy when corrupted")))
}
