use super::{Applied, Remedy, changed, edit};
use crate::{Activation, Loss, Plan, Problem};
use hybridrepair_core::Stream;
use rand::Rng;

/// The last activation that belongs to the loss: softmax over several units, the logistic function over one.
pub(super) struct OutputActivation;

impl Remedy for OutputActivation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        let entropy = matches!(plan.loss, Loss::CrossEntropy | Loss::BinaryCrossEntropy);
        edit(plan, "the last activation is the one that belongs to the loss", |net| {
            let right = match (net.width(), entropy) {
                (2.., _) => Activation::Softmax,
                (_, true) => Activation::Sigmoid,
                (_, false) => Activation::Linear,
            };
            std::mem::replace(&mut net.output, right) != right
        })
    }
}

/// The loss that belongs to the number of outputs; where it is that already, a squared or absolute one at random.
pub(super) struct OtherLoss;

impl Remedy for OtherLoss {
    fn name(&self) -> &'static str {
        "loss"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, rng: &mut Stream) -> Applied {
        let Some(net) = &plan.net else { return Applied::Fixed };
        let right = if net.width() > 1 { Loss::CrossEntropy } else { Loss::BinaryCrossEntropy };
        let loss = match (plan.loss == right, rng.gen_bool(0.5)) {
            (false, _) => right,
            (true, true) => Loss::MeanSquared,
            (true, false) => Loss::MeanAbsolute,
        };
        changed(Plan { loss, ..plan.clone() }, format!("{loss:?} instead of {:?}", plan.loss))
    }
}
