use super::{Applied, Remedy, changed, edit};
use crate::{Layer, OptimizerPlan, Plan, Problem};
use hybridrepair_core::Stream;

/// An L2 penalty of 0.01 (published: on hidden kernels; here on all weights).
pub(super) struct L2;

impl Remedy for L2 {
    fn name(&self) -> &'static str {
        "regular"
    }

    fn structure(&self) -> u8 {
        1
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        if plan.optimizer.weight_decay >= 0.01 {
            return Applied::Already;
        }
        let optimizer = OptimizerPlan { weight_decay: 0.01, ..plan.optimizer.clone() };
        changed(Plan { optimizer, ..plan.clone() }, "an L2 penalty of 0.01 on all weights")
    }
}

/// Dropout of 0.25 after at most a quarter of the activations, the last ones.
pub(super) struct Dropout;

impl Remedy for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn structure(&self) -> u8 {
        2
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        edit(plan, "dropout of 0.25 after the last activations", |net| {
            if net.layers.iter().any(|l| matches!(l, Layer::Dropout { .. })) {
                return false;
            }
            let hidden = |l: &Layer| matches!(l, Layer::Activation { .. });
            let places = (0..net.layers.len()).filter(|&i| hidden(&net.layers[i])).collect::<Vec<_>>();
            let some = places.len().div_ceil(4);
            for &at in places.iter().rev().take(some) {
                net.layers.insert(at + 1, Layer::Dropout { share: 0.25 });
            }
            some > 0
        })
    }
}
