use super::{Applied, Remedy, edit};
use crate::{Layer, Plan, Problem};
use hybridrepair_core::Stream;

/// Layers of networks deeper than this are wired around.
const DEEP: usize = 10;

/// Every hidden layer whose output is as large as its input is added to it (He et al. 2016): gradients have a way around.
pub(super) struct Residual;

impl Remedy for Residual {
    fn name(&self) -> &'static str {
        "residual"
    }

    fn structure(&self) -> u8 {
        3
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        edit(plan, "hidden layers of equal size are wired around", |net| {
            if net.depth() <= DEEP {
                return false;
            }
            let mut size = (net.input.len() == 1).then(|| net.input[0]);
            let mut wired = false;
            let last = net.layers.len() - 1;
            for layer in &mut net.layers[..last] {
                match layer {
                    Layer::Dense { units, residual, .. } => {
                        wired |= size == Some(*units) && !*residual;
                        *residual |= size == Some(*units);
                        size = Some(*units);
                    }
                    Layer::Conv { channels, stride, residual, .. } => {
                        let same = size == Some(*channels) && *stride == 1;
                        wired |= same && !*residual;
                        *residual |= same;
                        size = Some(*channels);
                    }
                    Layer::Flatten => size = None,
                    _ => {}
                }
            }
            wired
        })
    }
}
