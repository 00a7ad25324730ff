use serde::{Deserialize, Serialize};
use std::fmt;

/// A training problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// Gradients shrink towards the input until the first layers do not learn.
    VanishingGradient,
    /// Gradients grow towards the input, or a loss, gradient or weight is not finite.
    ExplodingGradient,
    /// Most units give nothing, and no gradient passes them.
    DyingRelu,
    /// Accuracy swings from epoch to epoch.
    Oscillation,
    /// Accuracy does not rise, or rises too slowly.
    SlowConvergence,
    /// Training goes on to improve while validation gets worse.
    Overfit,
    /// The last activation does not belong to the loss.
    OutputActivation,
    /// The loss does not belong to the task.
    WrongLoss,
    /// Inputs are on a scale that drives activations far from 1.
    AbnormalData,
}

impl Problem {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::VanishingGradient,
        Self::ExplodingGradient,
        Self::DyingRelu,
        Self::Oscillation,
        Self::SlowConvergence,
        Self::Overfit,
        Self::OutputActivation,
        Self::WrongLoss,
        Self::AbnormalData,
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::VanishingGradient => "vanishing-gradient",
            Self::ExplodingGradient => "exploding-gradient",
            Self::DyingRelu => "dying-relu",
            Self::Oscillation => "oscillation",
            Self::SlowConvergence => "slow-convergence",
            Self::Overfit => "overfit",
            Self::OutputActivation => "output-activation",
            Self::WrongLoss => "wrong-loss",
            Self::AbnormalData => "abnormal-data",
        }
    }

    /// Its name in the published system.
    pub fn published(self) -> &'static str {
        match self {
            Self::VanishingGradient => "vanish",
            Self::ExplodingGradient => "explode",
            Self::DyingRelu => "relu",
            Self::Oscillation => "unstable",
            Self::SlowConvergence => "not_converge",
            Self::Overfit => "overfit",
            Self::OutputActivation => "activation_issue",
            Self::WrongLoss => "loss_issue",
            Self::AbnormalData => "abnormal_data",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A problem that was found, and by what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The problem.
    pub problem: Problem,
    /// The epoch at which it was reported, from 0.
    pub epoch: usize,
    /// The first epoch of the stretch that showed it.
    pub since: usize,
    /// What was seen, in words.
    pub evidence: String,
}
