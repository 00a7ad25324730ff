//! What the rules see of gradients, weights and outputs.

use crate::loss_of;
use hybridrepair_doctor::{LayerReading, Loss, OutputReading, Probe};
use hybridrepair_torch::{Kind, Model, Tensor};
use hybridrepair_train::optim::Clip;

/// Gradients, weights and outputs on one batch, in inference mode; batch-norm statistics and weights stay as they are, and
/// gradients are cleared behind.
pub fn probe(model: &Model, loss: Loss, x: &Tensor, y: &Tensor, clip: Option<Clip>) -> Probe {
    let params = model.params();
    params.zero_grad();
    let (out, taps) = model.forward_tapped(x);
    loss_of(loss, &out.logits, y).backward();
    if let Some(clip) = clip {
        clip.apply(params);
    }
    let mut reading = read_gradients(model);
    params.zero_grad();
    tch::no_grad(|| {
        // what goes into a layer is what the one before it gives; the last layer's outputs are judged by themselves
        for pair in taps.windows(2) {
            let Some(layer) = reading.layers.iter_mut().find(|l| l.name == pair[0].weight) else { continue };
            let input = pair[1].input.abs();
            let dims = (0..input.dim() as i64).filter(|&d| d != 1).collect::<Vec<_>>();
            let most = input.amax(dims.as_slice(), false);
            layer.dead = Some(1.0 - most.count_nonzero(None).int64_value(&[]) as f64 / most.numel().max(1) as f64);
            layer.activation = Some(input.mean(Kind::Float).double_value(&[]));
        }
        let said = out.logits.argmax(1, false);
        let said = Vec::<i64>::try_from(said.contiguous()).unwrap_or_default();
        reading.output = Some(OutputReading {
            // an activation that belongs to its loss gives at most 1 in all, unless it gives NaN; one that does not belong is
            // known from the specification
            row_sum: if out.logits.isfinite().all().int64_value(&[]) == 1 { 1.0 } else { f64::NAN },
            classes_said: said.iter().collect::<std::collections::BTreeSet<_>>().len(),
        });
    });
    reading
}

/// Norms, zeros and finiteness of the gradients that lie in a model's parameters, which is how they are right after a step.
pub fn read_gradients(model: &Model) -> Probe {
    tch::no_grad(|| {
        let with = model.params().trained().filter(|(_, w)| w.grad().defined()).collect::<Vec<_>>();
        // one copy for all layers: many small ones would cost more than the pass itself
        let gradients = flat(with.iter().map(|(_, w)| w.grad()));
        let weights = flat(with.iter().map(|(_, w)| w.shallow_clone()));
        let mut layers = Vec::new();
        let mut at = 0;
        for (name, w) in &with {
            let range = at..at + w.numel();
            at = range.end;
            if w.dim() >= 2 {
                layers.push(LayerReading {
                    name: (*name).to_owned(),
                    gradient: norm(&gradients[range.clone()]),
                    weight: norm(&weights[range]),
                    dead: None,
                    activation: None,
                });
            }
        }
        let zeros = gradients.iter().filter(|g| **g == 0.0).count() as f64 / gradients.len().max(1) as f64;
        Probe {
            layers,
            zeros,
            finite_gradients: gradients.iter().all(|g| g.is_finite()),
            finite_weights: weights.iter().all(|w| w.is_finite()),
            output: None,
        }
    })
}

fn flat(tensors: impl Iterator<Item = Tensor>) -> Vec<f32> {
    let rows = tensors.map(|t| t.detach().to_kind(Kind::Float).reshape([-1])).collect::<Vec<_>>();
    if rows.is_empty() {
        return Vec::new();
    }
    Vec::<f32>::try_from(Tensor::cat(&rows, 0).to_device(hybridrepair_torch::Device::Cpu)).unwrap_or_default()
}

fn norm(numbers: &[f32]) -> f64 {
    numbers.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt()
}
