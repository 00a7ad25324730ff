//! Optimisers ranked on time-to-accuracy over tasks that they have never seen.
//!
//! The format is that of the `AutoTrain` competition (EPFL): an [`Entry`] gets a [`Task`] whose network, data and loss are
//! hidden behind oracles, and trains it until a probe of the target split is below the target. The [`Referee`] keeps
//! parameters and accounts, on two clocks: seconds, and *work* (a gradient example counts 1, an example of a loss or a
//! probe a third), which is the same on every machine.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod contest;
mod entries;
mod entry;
mod error;
mod nets;
mod outcome;
mod page;
mod params;
mod plan;
mod problem;
mod problems;
mod referee;
mod report;
mod score;
mod suites;
mod task;
mod trial;
mod wire;

pub use contest::{Contest, Standings, conclude, rescore};
pub use entry::{Entries, Entry, Maker, entry, play};
pub use error::ArenaError;
pub use outcome::{Outcome, Seen, Verdict};
pub use params::{Grads, ParamLayout, Params, Slot};
pub use plan::{Machine, Plan, PlannedTask};
pub use problem::{Examples, Part, Problem, Sizes};
pub use problems::Quadratic;
pub use referee::Referee;
pub use report::{markdown, table};
pub use score::{Clock, FAILURE_CHARGE, Score, Scores, harmonic_mean, median, profile};
pub use suites::{
    Assignment, CALIBRATION_SEEDS, Calibration, Design, Family, MakeProblem, Variation, calibrate, hidden, language,
    tiny, variations,
};
pub use task::{BatchId, Limits, Norm, Stop, Task, TaskSpec};
pub use trial::Trial;
pub use wire::{Contender, Programs, run_entry};
