use super::{Applied, Remedy, changed};
use crate::{Plan, Problem};
use hybridrepair_core::Stream;

/// Stop when the validation loss has not fallen for a fifteenth of the epochs, at least 3.
pub(super) struct EarlyStop;

impl Remedy for EarlyStop {
    fn name(&self) -> &'static str {
        "estop"
    }

    fn apply(&self, plan: &Plan, _: Problem, _: usize, _: &mut Stream) -> Applied {
        if plan.early_stop.is_some() {
            return Applied::Already;
        }
        let patience = (plan.epochs / 15).max(3);
        let what = format!("training stops when the validation loss has not fallen for {patience} epochs");
        changed(Plan { early_stop: Some(patience), ..plan.clone() }, what)
    }
}
