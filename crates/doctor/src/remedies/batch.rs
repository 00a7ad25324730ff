use super::{Applied, Remedy, changed};
use crate::{Plan, Problem};
use hybridrepair_core::Stream;

/// Batches of 32, 64, 128 and 256, as published.
pub(super) struct Batch;

impl Remedy for Batch {
    fn name(&self) -> &'static str {
        "batch"
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, _: &mut Stream) -> Applied {
        of_size(plan, 32 << attempt.min(10))
    }
}

/// Batches four times as large, at least 32: gradients with half the noise, and fewer steps.
pub(super) struct LargerBatch;

impl Remedy for LargerBatch {
    fn name(&self) -> &'static str {
        "larger-batch"
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, _: &mut Stream) -> Applied {
        of_size(plan, (plan.batch_size << (2 * (attempt + 1)).min(20)).max(32))
    }
}

fn of_size(plan: &Plan, batch_size: usize) -> Applied {
    if plan.batch_size == batch_size {
        return Applied::Already;
    }
    let what = format!("batches of {batch_size} instead of {}", plan.batch_size);
    changed(Plan { batch_size, ..plan.clone() }, what)
}
