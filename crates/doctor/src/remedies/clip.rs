use super::{Applied, Remedy, changed};
use crate::{Clipping, Plan, Problem};
use hybridrepair_core::Stream;
use rand::Rng;

/// Every gradient entry is cut at a bound between 9 and 10, as published.
pub(super) struct ClipValue;

impl Remedy for ClipValue {
    fn name(&self) -> &'static str {
        "gradient"
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, rng: &mut Stream) -> Applied {
        if plan.clip.is_some() {
            return Applied::Already;
        }
        let drawn = (0..=attempt).map(|_| rng.gen_range(9.0..10.0f64)).last().unwrap_or(10.0);
        let bound = (drawn * 100.0).round() / 100.0;
        changed(
            Plan { clip: Some(Clipping::Value(bound)), ..plan.clone() },
            format!("gradient entries are cut at {bound}"),
        )
    }
}

/// The norm of all gradients is bounded: direction stays, size does not run away. A tenth lower at every attempt.
pub(super) struct ClipNorm;

impl Remedy for ClipNorm {
    fn name(&self) -> &'static str {
        "clip-norm"
    }

    fn apply(&self, plan: &Plan, _: Problem, attempt: usize, _: &mut Stream) -> Applied {
        let bound = 0.1f64.powi(attempt as i32);
        if plan.clip == Some(Clipping::Norm(bound)) {
            return Applied::Already;
        }
        changed(
            Plan { clip: Some(Clipping::Norm(bound)), ..plan.clone() },
            format!("gradients are scaled down to norm {bound}"),
        )
    }
}
