//! Trainings of editable plans, watched and repaired.

mod folder;
mod pictures;
mod recipe;
mod treat;

pub(crate) use folder::{open_readings, problem_event};
pub use pictures::{PictureTask, plan_of};
pub(crate) use pictures::{facts, first_rows, val_score};
pub use recipe::{PlanRecipe, Source};
pub use treat::{Treated, treat, treat_pictures};
