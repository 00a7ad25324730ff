use super::{Applied, Remedy, changed};
use crate::{Plan, Plateau, Problem};
use hybridrepair_core::Stream;

/// The rate falls to a fifth when the validation loss did not fall for 5 epochs, down to 0.001 as published, or to a
/// hundredth of the rate where that would be no fall.
pub(super) struct ReduceLr;

impl Remedy for ReduceLr {
    fn name(&self) -> &'static str {
        "reduce-lr"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        if plan.plateau.is_some() {
            return Applied::Already;
        }
        let lr = plan.optimizer.lr;
        let floor = if lr > 0.001 { 0.001 } else { lr / 100.0 };
        let plateau = Some(Plateau { factor: 0.2, patience: 5, floor });
        changed(Plan { plateau, ..plan.clone() }, format!("the learning rate falls on plateaus, down to {floor}"))
    }
}
