use super::{Applied, Remedy, changed};
use crate::{OptimizerPlan, Plan, Problem};
use hybridrepair_core::Stream;

/// The rate rises over the first tenth of the epochs: the first steps are the ones that break a network.
pub(super) struct Warmup;

impl Remedy for Warmup {
    fn name(&self) -> &'static str {
        "warmup"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        if plan.optimizer.warmup > 0.0 {
            return Applied::Already;
        }
        let warmup = (0.1 * plan.epochs as f64).max(1.0);
        let optimizer = OptimizerPlan { warmup, ..plan.optimizer.clone() };
        changed(Plan { optimizer, ..plan.clone() }, format!("the learning rate rises over the first {warmup} epochs"))
    }
}
