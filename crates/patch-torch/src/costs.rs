use crate::{Pictures, network, numbers};
use hybridrepair_patch::{Localized, PatchError, WeightRef, pareto_front};
use hybridrepair_torch::{Model, Tap};
use std::collections::BTreeMap;
use tch::{Kind, Tensor};

/// What the samples' loss and their forward pass owe to each weight of a layer, in row order.
#[derive(Clone, Debug)]
pub struct LayerCosts {
    /// `|sum over the samples of d CE / d w|`.
    pub grad_loss: Vec<f64>,
    /// Share of its neuron's input, times the neuron's share of the output's gradient.
    pub forward_impact: Vec<f64>,
}

/// Costs of Arachne v2 (TOSEM 32(4), section 3.3) for all weights of these layers (names of their weights) on some rows.
///
/// Of a dense layer, forward impact is the mean share of a weight in its neuron's absolute input, times the mean share of
/// that neuron in the absolute gradients of the layer's outputs. Of a convolution, both are taken per position of the
/// output and summed over the positions, per sample. Where nothing enters, the share is 0.
///
/// # Errors
/// When a layer is unknown, or libtorch fails.
pub fn costs(
    model: &Model,
    pictures: &Pictures<'_>,
    rows: &[usize],
    layers: &[String],
) -> Result<BTreeMap<String, LayerCosts>, PatchError> {
    let weights = layers.iter().map(|name| {
        let found = model.params().trained().find(|(n, _)| n == name);
        found
            .map(|(_, t)| (name.clone(), t.shallow_clone()))
            .ok_or_else(|| PatchError::setting("layer", format!("{name:?}"), "is none of the model's"))
    });
    let weights = weights.collect::<Result<Vec<_>, _>>()?;
    let zeros = |t: &Tensor| Tensor::zeros(t.size(), (Kind::Float, t.device()));
    let mut gradients = weights.iter().map(|(_, t)| zeros(t)).collect::<Vec<_>>();
    let mut impacts = weights.iter().map(|(_, t)| Impact::new(t)).collect::<Vec<_>>();
    for (x, y) in pictures.batches(model, rows) {
        let (out, taps) = model.forward_tapped(&x);
        let loss = out.logits.cross_entropy_loss::<Tensor>(&y, None, tch::Reduction::Sum, -100, 0.0);
        let handles = weights.iter().map(|(_, t)| t).collect::<Vec<_>>();
        let by_weight = Tensor::f_run_backward(&[&loss], &handles, true, false).map_err(network)?;
        for (sum, g) in gradients.iter_mut().zip(by_weight) {
            *sum += g;
        }
        let wanted = weights
            .iter()
            .map(|(name, _)| taps.iter().find(|t| t.weight == *name))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| PatchError::NoCase("a TorchScript module shows no inner layers".to_owned()))?;
        let outputs = wanted.iter().map(|t| &t.output).collect::<Vec<_>>();
        let total = out.logits.sum(Kind::Float);
        let by_output = Tensor::f_run_backward(&[&total], &outputs, false, false).map_err(network)?;
        for ((impact, tap), gradient) in impacts.iter_mut().zip(wanted).zip(by_output) {
            impact.add(tap, &gradient)?;
        }
    }
    let mut all = BTreeMap::new();
    for (((name, weight), gradient), impact) in weights.into_iter().zip(gradients).zip(impacts) {
        let wide = |t: &Tensor| Ok::<_, PatchError>(numbers(t)?.into_iter().map(|v| f64::from(v.abs())).collect());
        let forward_impact = wide(&impact.mean(&weight, rows.len()))?;
        all.insert(name, LayerCosts { grad_loss: wide(&gradient)?, forward_impact });
    }
    Ok(all)
}

/// Sums over samples that forward impact is made of.
struct Impact {
    /// Of a dense layer: shares per weight, without the weight's own absolute value. Of a convolution: the products.
    front: Tensor,
    /// Of a dense layer: shares per output.
    behind: Option<Tensor>,
}

impl Impact {
    fn new(weight: &Tensor) -> Self {
        let options = (Kind::Float, weight.device());
        let behind = (weight.dim() == 2).then(|| Tensor::zeros([weight.size()[0]], options));
        Self { front: Tensor::zeros(weight.size(), options), behind }
    }

    /// A batch: what went through the layer, and the gradient of the network's summed outputs by the layer's output.
    fn add(&mut self, tap: &Tap, gradient: &Tensor) -> Result<(), PatchError> {
        let (x, w) = (tap.input.detach().abs(), tap.value.detach().abs());
        let share = |g: &Tensor, dims: &[i64]| {
            let total = g.sum_dim_intlist(dims, true, Kind::Float);
            (g / &total).nan_to_num(0.0, 0.0, 0.0)
        };
        let gradient = gradient.detach().abs();
        let Some((stride, pad, groups)) = tap.conv else {
            let per_output = x.linear::<&Tensor>(&w, None).reciprocal().nan_to_num(0.0, 0.0, 0.0);
            self.front += per_output.transpose(0, 1).matmul(&x);
            if let Some(behind) = &mut self.behind {
                *behind += share(&gradient, &[1]).sum_dim_intlist([0i64].as_slice(), false, Kind::Float);
            }
            return Ok(());
        };
        // the sum over positions of |x| behind / total input is the gradient of <total input, behind / total input> by |w|
        let w = w.set_requires_grad(true);
        let total = x.conv2d::<&Tensor>(&w, None, [stride; 2], [pad; 2], [1, 1], groups);
        let ratio = (share(&gradient, &[1, 2, 3]) / total.detach()).nan_to_num(0.0, 0.0, 0.0);
        let summed = (&total * ratio).sum(Kind::Float);
        for product in Tensor::f_run_backward(&[&summed], &[&w], false, false).map_err(network)? {
            self.front += product;
        }
        Ok(())
    }

    fn mean(&self, weight: &Tensor, n: usize) -> Tensor {
        let n = n as f64;
        let front = &self.front * weight.detach().abs() / n;
        match &self.behind {
            Some(behind) => front * (behind / n).unsqueeze(1),
            None => front,
        }
    }
}

/// Bidirectional localisation over all weights of these layers: the Pareto front of `cost(wrong) / (1 + cost(right))`.
///
/// # Errors
/// As [`costs`].
pub fn locate(
    model: &Model,
    pictures: &Pictures<'_>,
    wrong: &[usize],
    right: &[usize],
    layers: &[String],
) -> Result<Vec<Localized>, PatchError> {
    let (wrong, right) = (costs(model, pictures, wrong, layers)?, costs(model, pictures, right, layers)?);
    let mut places = Vec::new();
    let mut points = Vec::new();
    for (name, bad) in &wrong {
        let good = &right[name];
        let combine = |a: &[f64], b: &[f64], i: usize| a[i] / (1.0 + b[i]);
        for i in 0..bad.grad_loss.len() {
            let grad = combine(&bad.grad_loss, &good.grad_loss, i);
            points.push((grad, combine(&bad.forward_impact, &good.forward_impact, i)));
            places.push((name, i));
        }
    }
    let mut found = Vec::new();
    for at in pareto_front(&points) {
        let (name, i) = places[at];
        let Some((_, tensor)) = model.params().all().find(|(n, _)| n == name) else { continue };
        let shape = tensor.size().iter().map(|&s| s as usize).collect::<Vec<_>>();
        let weight = WeightRef::new(name, &unravel(i, &shape));
        let index = weight.index.iter().map(|&i| i as i64).collect::<Vec<_>>();
        let value = tensor.detach().double_value(&index) as f32;
        found.push(Localized { weight, grad_loss: points[at].0, forward_impact: points[at].1, value });
    }
    Ok(found)
}

/// Coordinates of a place in a flat tensor.
fn unravel(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &size) in index.iter_mut().zip(shape).rev() {
        *i = at % size;
        at /= size;
    }
    index
}
