use super::{Applied, Remedy, edit};
use crate::{Layer, Plan, Problem};
use hybridrepair_core::Stream;

/// Batch norm after every weighted layer but the last. The published system puts it after the activation and spares the
/// last two layers; here it stands before the activation, where its paper has it.
pub(super) struct BatchNorm;

impl Remedy for BatchNorm {
    fn name(&self) -> &'static str {
        "bn"
    }

    fn structure(&self) -> u8 {
        2
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        edit(plan, "batch norm after every hidden layer", |net| {
            let mut layers = Vec::new();
            let before = net.layers.len();
            for (i, layer) in net.layers.iter().enumerate() {
                layers.push(layer.clone());
                let last = i + 1 == before;
                if layer.weighted() && !last && !matches!(net.layers.get(i + 1), Some(Layer::Norm { .. })) {
                    layers.push(Layer::norm());
                }
            }
            net.layers = layers;
            net.layers.len() > before
        })
    }
}
