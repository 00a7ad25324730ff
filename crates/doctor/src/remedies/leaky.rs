use super::{Applied, Remedy, activation::set_hidden, edit};
use crate::{Activation, Plan, Problem};
use hybridrepair_core::Stream;

/// Units that let something pass below 0: `LeakyReLU`, ELU, and (as published) the thresholded `ReLU`, which does not.
pub(super) struct Leaky;

impl Remedy for Leaky {
    fn name(&self) -> &'static str {
        "leaky"
    }

    fn structure(&self) -> u8 {
        2
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, _: &mut Stream) -> Applied {
        let (function, what) = match attempt {
            0 => (Activation::LeakyRelu, "hidden activations are LeakyReLU"),
            1 => (Activation::Elu, "hidden activations are ELU"),
            _ => (Activation::ThresholdedRelu, "hidden activations are thresholded ReLU"),
        };
        edit(plan, what, |net| set_hidden(net, function))
    }
}
