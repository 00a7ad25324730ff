use super::{Applied, Remedy, changed};
use crate::{OptimizerPlan, Plan, Problem};
use hybridrepair_core::Stream;
use rand::Rng;

/// Plain descent at the user's rate (0.01 after another optimiser) with a drawn momentum, as published, which drops the
/// user's rate.
pub(super) struct Momentum;

impl Remedy for Momentum {
    fn name(&self) -> &'static str {
        "momentum"
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, rng: &mut Stream) -> Applied {
        let drawn = (0..=attempt).map(|_| rng.gen_range(0.01..0.9f64)).last().unwrap_or(0.5);
        let momentum = (drawn * 100.0).round() / 100.0;
        let lr = if plan.optimizer.name == "sgd" { plan.optimizer.lr } else { 0.01 };
        let optimizer = OptimizerPlan { momentum, ..OptimizerPlan::new("sgd", lr) };
        if optimizer == plan.optimizer {
            return Applied::Already;
        }
        changed(Plan { optimizer, ..plan.clone() }, format!("plain descent at {lr} with momentum {momentum}"))
    }
}

/// No momentum: it multiplies the length of steps, by ten at 0.9.
pub(super) struct NoMomentum;

impl Remedy for NoMomentum {
    fn name(&self) -> &'static str {
        "no-momentum"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        if plan.optimizer.momentum == 0.0 {
            return Applied::Already;
        }
        let optimizer = OptimizerPlan { momentum: 0.0, ..plan.optimizer.clone() };
        changed(Plan { optimizer, ..plan.clone() }, format!("no momentum instead of {}", plan.optimizer.momentum))
    }
}
