use crate::{Limits, Outcome, Trial};
use serde::{Deserialize, Serialize};

/// What time is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// Gradient examples: the same on every machine.
    #[default]
    Work,
    /// Seconds on this machine.
    Wall,
}

/// What a failure is charged, in limits: PAR2.
pub const FAILURE_CHARGE: f64 = 2.0;

impl Clock {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Wall => "wall",
        }
    }

    /// The limit of a task on this clock.
    pub fn limit(self, limits: &Limits) -> f64 {
        match self {
            Self::Work => limits.work,
            Self::Wall => limits.seconds,
        }
    }

    /// What a run is charged: its time, or twice the limit if it failed.
    pub fn charge(self, trial: &Trial, limits: &Limits) -> f64 {
        match (trial.outcome, self) {
            (Outcome::Reached, Self::Work) => trial.work,
            (Outcome::Reached, Self::Wall) => trial.seconds,
            _ => FAILURE_CHARGE * self.limit(limits),
        }
    }
}
