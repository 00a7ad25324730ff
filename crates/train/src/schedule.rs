use crate::TrainError;
use serde::{Deserialize, Serialize};

/// Learning rate over a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Schedule {
    /// Always the same.
    Constant {
        /// The rate.
        lr: f64,
    },
    /// Linear warm-up, then half a cosine down to 0 at the end of the run (Loshchilov and Hutter 2017, without restarts).
    Cosine {
        /// The highest rate.
        lr: f64,
        /// Epochs of warm-up.
        warmup: f64,
    },
    /// Rising or falling by the same factor from step to step, as the range test of Smith (2017) does.
    Exponential {
        /// The rate at the first step.
        from: f64,
        /// The rate at the last step of the run.
        to: f64,
    },
    /// Linear warm-up, then always the same.
    WarmUp {
        /// The rate.
        lr: f64,
        /// Epochs of warm-up.
        warmup: f64,
    },
    /// A rate from each epoch on.
    Steps {
        /// Pairs of first epoch and rate; the first pair must begin at epoch 0.
        from: Vec<(usize, f64)>,
    },
}

impl Schedule {
    /// Rate at a step of an epoch, where epochs have `steps` steps and the run `epochs` epochs.
    pub fn at(&self, epoch: usize, step: usize, steps: usize, epochs: usize) -> f64 {
        match self {
            Self::Constant { lr } => *lr,
            Self::Cosine { lr, warmup } => {
                let now = epoch as f64 + (step as f64 + 0.5) / steps.max(1) as f64;
                if now < *warmup {
                    return lr * now / warmup;
                }
                let share = ((now - warmup) / (epochs as f64 - warmup).max(1e-9)).min(1.0);
                lr * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
            }
            Self::Exponential { from, to } => {
                let last = (steps * epochs).saturating_sub(1).max(1) as f64;
                from * (to / from).powf((epoch * steps + step) as f64 / last)
            }
            Self::WarmUp { lr, warmup } => {
                let now = epoch as f64 + (step as f64 + 0.5) / steps.max(1) as f64;
                lr * (now / warmup.max(1e-9)).min(1.0)
            }
            Self::Steps { from } => from.iter().rev().find(|(e, _)| *e <= epoch).map_or(0.0, |(_, lr)| *lr),
        }
    }

    /// The highest rate.
    pub fn peak(&self) -> f64 {
        match self {
            Self::Constant { lr } | Self::Cosine { lr, .. } | Self::WarmUp { lr, .. } => *lr,
            Self::Exponential { from, to } => from.max(*to),
            Self::Steps { from } => from.iter().map(|(_, lr)| *lr).fold(0.0, f64::max),
        }
    }

    /// The same course with this highest rate.
    #[must_use]
    pub fn with_peak(&self, peak: f64) -> Self {
        match self {
            Self::Constant { .. } => Self::Constant { lr: peak },
            Self::Cosine { warmup, .. } => Self::Cosine { lr: peak, warmup: *warmup },
            Self::WarmUp { warmup, .. } => Self::WarmUp { lr: peak, warmup: *warmup },
            Self::Exponential { from, to } => {
                let by = peak / self.peak();
                Self::Exponential { from: from * by, to: to * by }
            }
            Self::Steps { from } => {
                let old = self.peak();
                let scaled = |lr: f64| if old > 0.0 { lr / old * peak } else { peak };
                Self::Steps { from: from.iter().map(|&(epoch, lr)| (epoch, scaled(lr))).collect() }
            }
        }
    }

    /// The same course in a run of other length: warm-ups and the epochs of steps shrink or grow with it.
    #[must_use]
    pub fn over(&self, epochs: usize, instead_of: usize) -> Self {
        let by = epochs as f64 / instead_of.max(1) as f64;
        match self {
            Self::Cosine { lr, warmup } => Self::Cosine { lr: *lr, warmup: warmup * by },
            Self::WarmUp { lr, warmup } => Self::WarmUp { lr: *lr, warmup: warmup * by },
            Self::Steps { from } => {
                // rounded up, so that what comes first keeps an epoch; of steps that fall into one epoch `at` takes the last
                let to = |e: usize| (e * epochs).div_ceil(instead_of.max(1));
                Self::Steps { from: from.iter().map(|&(e, lr)| (to(e), lr)).collect() }
            }
            // at the same rate, or by a share of the run already
            Self::Constant { .. } | Self::Exponential { .. } => self.clone(),
        }
    }

    /// Checks that all rates are finite and not negative.
    ///
    /// # Errors
    /// Names the offending rate.
    pub fn check(&self) -> Result<(), TrainError> {
        let rates = match self {
            Self::Constant { lr } | Self::Cosine { lr, .. } | Self::WarmUp { lr, .. } => vec![*lr],
            // a ratio with 0 has no geometric course
            Self::Exponential { from, to } if *from > 0.0 && *to > 0.0 => vec![*from, *to],
            Self::Exponential { .. } => vec![f64::NAN],
            Self::Steps { from } => from.iter().map(|(_, lr)| *lr).collect(),
        };
        match rates.into_iter().find(|lr| !lr.is_finite() || *lr < 0.0) {
            Some(lr) => Err(TrainError::Setting {
                what: "learning rate",
                given: lr.to_string(),
                why: "is not a finite number above or equal to 0",
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_warms_up_peaks_and_ends_near_zero() {
        let s = Schedule::Cosine { lr: 1.0, warmup: 1.0 };
        assert!(s.at(0, 0, 100, 10) < 0.01);
        assert!(s.at(1, 0, 100, 10) > 0.999);
        assert!(s.at(9, 99, 100, 10) < 1e-4);
        let s = Schedule::WarmUp { lr: 1.0, warmup: 2.0 };
        assert!((s.at(1, 0, 1, 10) - 0.75).abs() < 1e-12);
        assert_eq!(s.at(2, 0, 1, 10), 1.0);
    }

    #[test]
    fn a_shorter_run_takes_the_same_course() {
        let long = Schedule::Cosine { lr: 1.0, warmup: 2.0 };
        let short = long.over(5, 20);
        for (epoch, before) in [(0, 0), (1, 4), (4, 16)] {
            // the first step of an epoch of one run, and where it lies in the other
            let (a, b) = (short.at(epoch, 0, 400, 5), long.at(before, 0, 100, 20));
            assert!((a - b).abs() < 1e-12, "{epoch}: {a} {b}");
        }
        let steps = Schedule::Steps { from: vec![(0, 0.1), (100, 0.01), (150, 0.001)] };
        let short = steps.over(4, 200);
        assert_eq!([0, 1, 2, 3].map(|e| short.at(e, 0, 9, 4)), [0.1, 0.1, 0.01, 0.001]);
        // the highest rate is there however short the run is
        assert_eq!(steps.over(1, 200).at(0, 0, 9, 1), 0.1);
        assert_eq!([0, 1].map(|e| steps.over(2, 200).at(e, 0, 9, 2)), [0.1, 0.01]);
        assert_eq!(Schedule::WarmUp { lr: 1.0, warmup: 4.0 }.over(1, 4).at(0, 1, 2, 1), 0.75);
    }

    #[test]
    fn the_published_steps() {
        let s = Schedule::Steps { from: vec![(0, 0.1), (101, 0.01)] };
        assert_eq!((s.at(100, 5, 9, 200), s.at(101, 0, 9, 200)), (0.1, 0.01));
        let ramp = Schedule::Exponential { from: 1e-3, to: 1.0 };
        assert_eq!(ramp.at(0, 0, 2, 2), 1e-3);
        assert!((ramp.at(1, 1, 2, 2) - 1.0).abs() < 1e-12 && (ramp.at(1, 0, 2, 2) - 0.1).abs() < 1e-12);
        assert!(Schedule::Exponential { from: 0.0, to: 1.0 }.check().is_err());
        let doubled = s.with_peak(0.2);
        assert_eq!((doubled.peak(), doubled.at(101, 0, 9, 200)), (0.2, 0.02));
        assert_eq!(Schedule::Cosine { lr: 1.0, warmup: 2.0 }.with_peak(0.5), Schedule::Cosine { lr: 0.5, warmup: 2.0 });
        assert!(Schedule::Constant { lr: f64::NAN }.check().is_err());
    }
}
