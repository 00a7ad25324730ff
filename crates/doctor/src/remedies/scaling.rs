use super::{Applied, Remedy, changed};
use crate::{Plan, Problem, Scaling};
use hybridrepair_core::Stream;

/// Every feature to [-1, 1], training and validation by themselves, as published.
pub(super) struct MinMax;

impl Remedy for MinMax {
    fn name(&self) -> &'static str {
        "data"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        to(plan, Scaling::MinMaxEach, "every feature is scaled to [-1, 1], each part of the data by itself")
    }
}

/// Every feature to mean 0 and standard deviation 1, by the training set alone.
pub(super) struct Standardize;

impl Remedy for Standardize {
    fn name(&self) -> &'static str {
        "standardize"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        to(plan, Scaling::Standard, "every feature is scaled to mean 0 and standard deviation 1 of the training set")
    }
}

/// Networks that cannot be edited bring their own transform of pictures.
fn to(plan: &Plan, scaling: Scaling, what: &str) -> Applied {
    match &plan.net {
        None => Applied::Fixed,
        Some(_) if plan.scaling == scaling => Applied::Already,
        Some(_) => changed(Plan { scaling, ..plan.clone() }, what),
    }
}
