use super::{Applied, Remedy, changed};
use crate::{OptimizerPlan, Plan, Problem};
use hybridrepair_core::Stream;
use rand::seq::SliceRandom;

/// Another optimiser with its defaults, drawn from five; the published system draws with repetition, here attempts differ.
pub(super) struct Another;

const FIVE: [&str; 5] = ["sgd", "adam", "nadam", "adamax", "rmsprop"];

impl Remedy for Another {
    fn name(&self) -> &'static str {
        "optimizer"
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, rng: &mut Stream) -> Applied {
        let mut others = FIVE.iter().filter(|n| **n != plan.optimizer.name).collect::<Vec<_>>();
        others.shuffle(rng);
        let Some(name) = others.get(attempt) else { return Applied::Already };
        let mut optimizer = OptimizerPlan::new(name, 0.001);
        optimizer.lr = optimizer.usual_rate();
        let what = format!("{name} at {} instead of {} at {}", optimizer.lr, plan.optimizer.name, plan.optimizer.lr);
        changed(Plan { optimizer, ..plan.clone() }, what)
    }
}
