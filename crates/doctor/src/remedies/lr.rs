use super::{Applied, Remedy, changed};
use crate::{OptimizerPlan, Plan, Problem};
use hybridrepair_core::Stream;

/// Powers of ten of the optimiser's usual rate, as published: upwards against slowness, else downwards.
pub(super) struct Lr;

impl Remedy for Lr {
    fn name(&self) -> &'static str {
        "lr"
    }

    fn apply(&self, plan: &Plan, problem: Problem, attempt: usize, _: &mut Stream) -> Applied {
        let power = 10f64.powi(attempt as i32);
        let usual = plan.optimizer.usual_rate();
        at_rate(plan, if problem == Problem::SlowConvergence { usual * power } else { usual / power })
    }
}

/// Powers of ten of the user's own rate.
pub(super) struct Scaled {
    name: &'static str,
    factor: f64,
}

/// Steps that are too long jump over minima, kill units and explode.
pub(super) const LOWER: Scaled = Scaled { name: "lr-lower", factor: 0.1 };

/// Steps that are too short do not arrive.
pub(super) const HIGHER: Scaled = Scaled { name: "lr-higher", factor: 10.0 };

impl Remedy for Scaled {
    fn name(&self) -> &'static str {
        self.name
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, _: &mut Stream) -> Applied {
        at_rate(plan, plan.optimizer.lr * self.factor.powi(attempt as i32 + 1))
    }
}

fn at_rate(plan: &Plan, lr: f64) -> Applied {
    // rates that differ in their last bits are the same rate
    if (plan.optimizer.lr / lr - 1.0).abs() < 1e-6 {
        return Applied::Already;
    }
    let lr = format!("{lr:.3e}").parse().unwrap_or(lr);
    let what = format!("learning rate {lr} instead of {}", plan.optimizer.lr);
    changed(Plan { optimizer: OptimizerPlan { lr, ..plan.optimizer.clone() }, ..plan.clone() }, what)
}
