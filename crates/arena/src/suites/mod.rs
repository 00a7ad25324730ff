//! Tasks in sets.

mod calibrate;
mod design;
mod hidden;
mod language;
mod task;
mod tiny;

pub use calibrate::{CALIBRATION_SEEDS, Calibration, calibrate};
pub use design::{Design, Family};
pub use hidden::{Variation, hidden, variations};
pub use language::language;
pub use task::{Assignment, MakeProblem};
pub use tiny::tiny;
