use super::{Applied, Remedy, edit};
use crate::{Layer, Plan, Problem};
use hybridrepair_core::Stream;

/// Gaussian noise (0.1) on the input of the first weighted layer, in training.
pub(super) struct Noise;

impl Remedy for Noise {
    fn name(&self) -> &'static str {
        "noise"
    }

    fn structure(&self) -> u8 {
        2
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        edit(plan, "Gaussian noise of 0.1 on the input", |net| {
            if net.layers.iter().any(|l| matches!(l, Layer::Noise { .. })) {
                return false;
            }
            let at = net.layers.iter().position(Layer::weighted).unwrap_or(0);
            net.layers.insert(at, Layer::Noise { sd: 0.1 });
            true
        })
    }
}
