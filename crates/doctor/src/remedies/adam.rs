use super::{Applied, Remedy, changed};
use crate::{OptimizerPlan, Plan, Problem};
use hybridrepair_core::Stream;

/// Adam with its defaults: steps that do not follow the size of the gradient.
pub(super) struct Adam;

impl Remedy for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        let adam = OptimizerPlan::new("adam", 0.001);
        if plan.optimizer.name == "adam" {
            return Applied::Already;
        }
        let what = format!("Adam at 0.001 instead of {} at {}", plan.optimizer.name, plan.optimizer.lr);
        changed(Plan { optimizer: adam, ..plan.clone() }, what)
    }
}
