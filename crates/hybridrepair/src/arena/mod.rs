//! Repair fine-tuning as tasks of the arena: which optimiser takes a deployed model to the field soonest?

mod lesson;
mod suite;

pub use lesson::{RepairTask, repair_lesson};
pub use suite::{REPAIR, repair_suite};
