use crate::{DoctorError, HouseThresholds, Problem, Strategy, Weights};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// What the monitor may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing is looked at.
    Off,
    /// Problems are reported; training goes on.
    #[default]
    Watch,
    /// Training stops at the first problem.
    Stop,
    /// Training stops at the first problem, and changed plans are trained until one has none.
    Repair,
}

impl FromStr for Mode {
    type Err = DoctorError;

    fn from_str(text: &str) -> Result<Self, DoctorError> {
        Ok(match text {
            "off" => Self::Off,
            "watch" => Self::Watch,
            "stop" => Self::Stop,
            "repair" => Self::Repair,
            _ => {
                return Err(DoctorError::setting(
                    "monitor",
                    format!("{text:?}"),
                    "is none of off, watch, stop, repair",
                ));
            }
        })
    }
}

/// Which rules judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileName {
    /// The rules of the ICSE 2021 paper as its code has them, sticky flags included.
    Icse21,
    /// Those of the extended study of 2023: three more problems, judged later.
    Extended23,
    /// Ours: recomputed over a window, against noise and chance.
    #[default]
    House,
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Icse21 => "icse21",
            Self::Extended23 => "extended23",
            Self::House => "house",
        })
    }
}

impl FromStr for ProfileName {
    type Err = DoctorError;

    fn from_str(text: &str) -> Result<Self, DoctorError> {
        Ok(match text {
            "icse21" => Self::Icse21,
            "extended23" => Self::Extended23,
            "house" => Self::House,
            _ => {
                return Err(DoctorError::setting(
                    "profile",
                    format!("{text:?}"),
                    "is none of icse21, extended23, house",
                ));
            }
        })
    }
}

/// Thresholds of the rules; Greek letters are those of the paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Vanishing: first over last gradient norm is below (beta 1).
    pub vanish_ratio: f64,
    /// And the first norm is below (beta 2).
    pub vanish_norm: f64,
    /// Exploding: the ratio is above (beta 3).
    pub explode_ratio: f64,
    /// Dying: share of zero gradient entries (gamma); in `house` share of dead units in a layer.
    pub dead_share: f64,
    /// Size of a swing of accuracy that counts (zeta).
    pub swing: f64,
    /// Swings per epoch that are an oscillation (eta).
    pub swing_rate: f64,
    /// Largest gain of one epoch that is still no progress (delta).
    pub gain: f64,
    /// Accuracy that counts as good (Theta). `house` takes, where it is not given, a share of the way from chance to 1.
    pub good: Option<f64>,
    /// That share.
    pub good_share: f64,
    /// Share of the epochs after which learning curves are judged.
    pub judge_from: f64,
    /// `house`: but not before this many epochs.
    pub judge_epochs: usize,
    /// Positive checks that a gradient symptom needs in `icse21` and `extended23`.
    pub checks: usize,
    /// Consecutive positive checks that a problem needs in `house`.
    pub window: usize,
    /// A loss that is treated as not finite; `None`: the profile's own (1e5 and 1e3), in `house` none.
    pub large_loss: Option<f64>,
    /// `extended23`: mean absolute activation that is abnormal (omega 1).
    pub activation: f64,
    /// `extended23`: sum of a sample's outputs that is abnormal (omega 2; 0.1 more is let pass).
    pub row_sum: f64,
    /// Those that only `house` has.
    pub house: HouseThresholds,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            vanish_ratio: 1e-3,
            vanish_norm: 1e-4,
            explode_ratio: 70.0,
            dead_share: 0.7,
            swing: 0.03,
            swing_rate: 0.2,
            gain: 0.01,
            good: None,
            good_share: 0.35,
            judge_from: 0.3,
            judge_epochs: 20,
            checks: 1,
            window: 2,
            large_loss: None,
            activation: 10.0,
            row_sum: 1.0,
            house: HouseThresholds::default(),
        }
    }
}

/// `[monitor]` of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitorSettings {
    /// What the monitor may do.
    pub mode: Mode,
    /// Which rules judge.
    pub profile: ProfileName,
    /// Epochs from one check to the next.
    pub interval: usize,
    /// Batches of the probe; `icse21` and `extended23` take one, the first rows of the training set.
    pub batches: usize,
    /// Thresholds.
    pub thresholds: Thresholds,
    /// In what order remedies are tried.
    pub strategy: Strategy,
    /// Remedies of a problem instead of the built-in ones: names with `_` and a number of attempts, such as `lr_3`.
    pub order: BTreeMap<Problem, Vec<String>>,
    /// Where retraining begins; `None`: the profile's own (`icse21` warm, others fresh).
    pub weights: Option<Weights>,
    /// `house`: share of the epochs for which all attempts are trained first; 1 trains one after the other to the end.
    pub short: f64,
    /// `house`: share of the attempts that goes on to the end.
    pub keep: f64,
    /// `house`: how many of the best other remedies are put on a plan that solved it, to see whether they add to it.
    pub combine: usize,
    /// Accuracy that a repair must gain.
    pub margin: f64,
    /// Rounds: a repair that turns one problem into another is followed so often.
    pub rounds: usize,
    /// Trainings to the end that a repair may cost; shorter ones count by their share of the epochs.
    pub budget_models: Option<f64>,
    /// Seconds that it may cost.
    pub budget_seconds: Option<f64>,
    /// Whether a repair is set beside remedies drawn at random at the same cost, which doubles it.
    pub control: bool,
    /// Remedies whose changes to the structure cost more are left out (0 to 3).
    pub structure: u8,
}

impl Default for MonitorSettings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            profile: ProfileName::default(),
            interval: 3,
            batches: 4,
            thresholds: Thresholds::default(),
            strategy: Strategy::default(),
            order: BTreeMap::new(),
            weights: None,
            short: 0.2,
            keep: 1.0 / 3.0,
            combine: 2,
            margin: 0.02,
            rounds: 10,
            budget_models: None,
            budget_seconds: None,
            control: true,
            structure: 3,
        }
    }
}

impl MonitorSettings {
    /// The published system's settings.
    pub fn published() -> Self {
        Self { profile: ProfileName::Icse21, short: 1.0, margin: 0.0, batches: 1, ..Self::default() }
    }

    /// Where retraining begins.
    pub fn start(&self) -> Weights {
        self.weights.unwrap_or(if self.profile == ProfileName::Icse21 { Weights::Warm } else { Weights::Fresh })
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), DoctorError> {
        if self.interval == 0 || self.batches == 0 || self.rounds == 0 {
            return Err(DoctorError::setting("monitor", "0", "interval, batches and rounds are at least 1"));
        }
        for (what, share) in [
            ("monitor: short", self.short),
            ("monitor: keep", self.keep),
            ("monitor: judge_from", self.thresholds.judge_from),
            ("monitor: good_share", self.thresholds.good_share),
            ("monitor: dead_share", self.thresholds.dead_share),
        ] {
            if !(share > 0.0 && share <= 1.0) {
                return Err(DoctorError::setting(what, share, "is not above 0 and at most 1"));
            }
        }
        self.thresholds.house.check()?;
        if self.thresholds.checks == 0 || self.thresholds.window == 0 {
            return Err(DoctorError::setting("monitor", "0", "checks and window are at least 1"));
        }
        let budgets = [self.budget_models, self.budget_seconds];
        if let Some(budget) = budgets.into_iter().flatten().find(|b| b.is_nan() || *b <= 0.0) {
            return Err(DoctorError::setting("monitor: budget", budget, "is not above 0"));
        }
        for name in self.order.values().flatten() {
            crate::remedies::parse(name)?;
        }
        Ok(())
    }
}
