use crate::{Eval, PatchError};
use serde::{Deserialize, Serialize};

/// What a search maximises.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fitness {
    /// Arachne v1: `(right_neg + 1) / (loss_neg + 1) + (right_pos + 1) / (loss_pos + 1)`. The larger set dominates.
    Ratio,
    /// Arachne v2: `soft_pos + alpha soft_neg`.
    Soft {
        /// Weight of the wrong samples.
        alpha: f64,
    },
    /// `lambda soft_neg / N + (1 - lambda) soft_pos / M`: the shape of v2, independent of the sizes of the sets.
    Balanced {
        /// Weight of the wrong samples, in [0, 1].
        lambda: f64,
    },
    /// `1 / (1 + mean loss of all samples)`: smooth where counts of right answers have steps, so that its best values lie
    /// nearer to the best ones for samples that were not seen. For faults, where every sample counts alike.
    Likelihood,
}

/// What no candidate may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// Largest share of the right samples that may break, in [0, 1].
    pub max_break: Option<f64>,
    /// Whether a right sample of a protected class may break.
    pub protect: bool,
}

/// What a search maximises under a guard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// The score.
    pub fitness: Fitness,
    /// The limits.
    pub guard: Guard,
}

impl Fitness {
    /// Score of a candidate on `n` wrong and `m` right samples; never negative.
    pub fn score(&self, e: &Eval, n: usize, m: usize) -> f64 {
        match *self {
            Self::Ratio => {
                (f64::from(e.right_neg) + 1.0) / (e.loss_neg + 1.0)
                    + (f64::from(e.right_pos) + 1.0) / (e.loss_pos + 1.0)
            }
            Self::Soft { alpha } => e.soft_pos + alpha * e.soft_neg,
            Self::Balanced { lambda } => {
                lambda * e.soft_neg / n.max(1) as f64 + (1.0 - lambda) * e.soft_pos / m.max(1) as f64
            }
            Self::Likelihood => {
                let sum = e.loss_neg * n as f64 + e.loss_pos * m as f64;
                1.0 / (1.0 + sum / (n + m).max(1) as f64)
            }
        }
    }
}

impl Guard {
    /// Whether a candidate keeps within the limits on `m` right samples.
    pub fn admits(&self, e: &Eval, m: usize) -> bool {
        self.excess(e, m) <= 0.0
    }

    /// How far a candidate is beyond the limits; 0 within them.
    fn excess(&self, e: &Eval, m: usize) -> f64 {
        let broken = 1.0 - f64::from(e.right_pos) / m.max(1) as f64;
        let over = self.max_break.map_or(0.0, |limit| (broken - limit).max(0.0));
        over + if self.protect { f64::from(e.broken_protected) } else { 0.0 }
    }
}

impl Objective {
    /// Checks the settings.
    ///
    /// # Errors
    /// Names what is outside its range.
    pub fn check(&self) -> Result<(), PatchError> {
        match self.fitness {
            Fitness::Balanced { lambda } if !(0.0..=1.0).contains(&lambda) => {
                return Err(PatchError::setting("lambda", lambda, "is outside [0, 1]"));
            }
            Fitness::Soft { alpha } if !(alpha > 0.0 && alpha.is_finite()) => {
                return Err(PatchError::setting("alpha", alpha, "is not above 0"));
            }
            _ => {}
        }
        match self.guard.max_break {
            Some(limit) if !(0.0..=1.0).contains(&limit) => {
                Err(PatchError::setting("largest break rate", limit, "is outside [0, 1]"))
            }
            _ => Ok(()),
        }
    }

    /// The score of an admissible candidate; below 0, by how far it is beyond the limits, for any other. The model as it
    /// is breaks nothing and is always admissible.
    pub fn score(&self, e: &Eval, n: usize, m: usize) -> f64 {
        let excess = self.guard.excess(e, m);
        if excess > 0.0 { -1.0 - excess } else { self.fitness.score(e, n, m) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand_and_limits() {
        let e = Eval {
            right_neg: 2,
            right_pos: 18,
            soft_neg: 2.5,
            soft_pos: 18.8,
            loss_neg: 1.0,
            loss_pos: 0.25,
            broken_protected: 1,
        };
        assert_eq!(Fitness::Ratio.score(&e, 4, 20), 1.5 + 19.0 / 1.25);
        assert_eq!(Fitness::Soft { alpha: 10.0 }.score(&e, 4, 20), 18.8 + 25.0);
        let balanced = Fitness::Balanced { lambda: 0.5 };
        // (4 x 1 + 20 x .25) / 24 = .375
        assert_eq!(Fitness::Likelihood.score(&e, 4, 20), 1.0 / 1.375);
        assert!((balanced.score(&e, 4, 20) - (0.3125 + 0.47)).abs() < 1e-12);
        let with = |max_break, protect| Objective { fitness: balanced, guard: Guard { max_break, protect } };
        assert!(with(Some(0.1), false).guard.admits(&e, 20));
        assert!(!with(Some(0.09), false).guard.admits(&e, 20));
        assert_eq!(with(None, true).score(&e, 4, 20), -2.0);
        assert!(with(Some(1.5), false).check().is_err());
        assert!(with(Some(0.0), true).check().is_ok());
    }
}
