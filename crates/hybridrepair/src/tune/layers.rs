//! A network's weights as the search reads them.

use crate::Error;
use hybridrepair_torch::{Device, Kind, Model, Tensor};
use hybridrepair_tune::{Layer, LayerGain, Variant, knowledge};
use std::collections::BTreeMap;

/// Groups of the convolutions by the name of their weight.
pub(super) type Groups = BTreeMap<String, usize>;

/// Looks at the layers of a network once. A TorchScript module does not show them: there a convolution with one input channel
/// per group is taken for depthwise, and every other one for ungrouped.
pub(super) fn groups(model: &Model, (height, width): (usize, usize)) -> Groups {
    let x = Tensor::zeros([1, 3, height as i64, width as i64], (Kind::Float, model.device()));
    let (_, taps) = model.forward_tapped(&x);
    let mut found: Groups =
        taps.into_iter().filter_map(|t| t.conv.map(|(_, _, groups)| (t.weight, groups.max(1) as usize))).collect();
    for (name, tensor) in model.params().trained() {
        if let [out, 1, _, _] = tensor.size()[..] {
            found.entry(name.to_owned()).or_insert(out.max(1) as usize);
        }
    }
    found
}

/// The knowledge gain of every layer.
pub(super) fn gains(
    model: &Model,
    groups: &Groups,
    variant: Variant,
    before: Option<&[LayerGain]>,
) -> Result<Vec<LayerGain>, Error> {
    let read = model.params().trained().filter(|(_, t)| [2, 4].contains(&t.dim()) && t.kind() == Kind::Float);
    let weights = read.map(|(name, tensor)| {
        let shape = tensor.size().iter().map(|&n| n as usize).collect::<Vec<_>>();
        let plain = tensor.detach().to_device(Device::Cpu).contiguous();
        let mut values = vec![0f32; plain.numel()];
        plain.copy_data(&mut values, plain.numel());
        (name, shape, values)
    });
    let weights = weights.collect::<Vec<_>>();
    let layers = weights.iter().map(|(name, shape, values)| Layer {
        name,
        shape,
        groups: groups.get(*name).copied().unwrap_or(1),
        values,
    });
    Ok(knowledge(&layers.collect::<Vec<_>>(), variant, before)?)
}
