use super::{AdaBound, AdaDelta, AdaGrad, Adam, AdamW, Adamax, Lars, NAdam, Optimizer, RmsProp, Sgd};
use crate::TrainError;
use serde::{Deserialize, Serialize};

/// Adam's decay rates of the two moments.
const BETAS: (f64, f64) = (0.9, 0.999);

/// An optimiser with its settings, as in a recipe; what a recipe leaves out has `PyTorch`'s default. Weight decay acts on all
/// parameters, batch norm and biases included, as a penalty added to the gradient except where it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum OptimSpec {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Momentum in [0, 1).
        #[serde(default)]
        momentum: f64,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
        /// Nesterov's look-ahead.
        #[serde(default)]
        nesterov: bool,
    },
    /// Adam with decoupled weight decay.
    Adamw {
        /// Decay rates of the two moments.
        #[serde(default = "betas")]
        betas: (f64, f64),
        /// Added to the denominator.
        #[serde(default = "eps")]
        eps: f64,
        /// Decoupled weight decay.
        #[serde(default = "decoupled")]
        weight_decay: f64,
    },
    /// Layer-wise adaptive rate scaling, for large batches. Biases and batch norm are not decayed.
    Lars {
        /// Momentum in [0, 1).
        momentum: f64,
        /// L2 penalty, added to the gradient.
        weight_decay: f64,
        /// Length of a step as a share of the tensor's length, at a rate of 1.
        trust: f64,
    },
    /// Adam.
    Adam {
        /// Decay rates of the two moments.
        #[serde(default = "betas")]
        betas: (f64, f64),
        /// Added to the denominator.
        #[serde(default = "eps")]
        eps: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam with Nesterov's momentum.
    Nadam {
        /// Decay rates of the two moments.
        #[serde(default = "betas")]
        betas: (f64, f64),
        /// Added to the denominator.
        #[serde(default = "eps")]
        eps: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
        /// How slowly the momentum rises to its full value.
        #[serde(default = "momentum_decay")]
        momentum_decay: f64,
    },
    /// Adam with the infinity norm.
    Adamax {
        /// Decay rates of moment and norm.
        #[serde(default = "betas")]
        betas: (f64, f64),
        /// Added to the norm.
        #[serde(default = "eps")]
        eps: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Gradients over the root of their mean square.
    Rmsprop {
        /// Decay rate of the mean square.
        #[serde(default = "alpha")]
        alpha: f64,
        /// Added to the root.
        #[serde(default = "eps")]
        eps: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
        /// Momentum of the quotient.
        #[serde(default)]
        momentum: f64,
        /// Variance instead of mean square.
        #[serde(default)]
        centered: bool,
    },
    /// Gradients over the root of the sum of their squares.
    Adagrad {
        /// Fall of the rate per step.
        #[serde(default)]
        lr_decay: f64,
        /// Added to the root.
        #[serde(default = "eps_adagrad")]
        eps: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Gradients scaled by past changes; its usual rate is 1.
    Adadelta {
        /// Decay rate of the averages.
        #[serde(default = "rho")]
        rho: f64,
        /// Added to both averages.
        #[serde(default = "eps_adadelta")]
        eps: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
    },
    /// Adam between bounds that close in on plain descent.
    Adabound {
        /// Decay rates of the two moments.
        #[serde(default = "betas")]
        betas: (f64, f64),
        /// Added to the denominator.
        #[serde(default = "eps")]
        eps: f64,
        /// L2 penalty.
        #[serde(default)]
        weight_decay: f64,
        /// The rate of plain descent at which the bounds meet.
        #[serde(default = "final_lr")]
        final_lr: f64,
        /// How fast they do.
        #[serde(default = "gamma")]
        gamma: f64,
    },
}

// serde takes defaults as functions
fn decoupled() -> f64 {
    0.01
}
fn betas() -> (f64, f64) {
    BETAS
}
fn eps() -> f64 {
    1e-8
}
fn momentum_decay() -> f64 {
    4e-3
}
fn alpha() -> f64 {
    0.99
}
fn eps_adagrad() -> f64 {
    1e-10
}
fn rho() -> f64 {
    0.9
}
fn eps_adadelta() -> f64 {
    1e-6
}
fn final_lr() -> f64 {
    0.1
}
fn gamma() -> f64 {
    1e-3
}

impl OptimSpec {
    /// The names of all.
    pub const NAMES: [&'static str; 10] =
        ["sgd", "adamw", "lars", "adam", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "adabound"];

    /// The optimiser of this name with `PyTorch`'s defaults (`AdaBound` and LARS: their authors').
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn named(name: &str) -> Result<Self, TrainError> {
        Ok(match name {
            "sgd" => Self::Sgd { momentum: 0.0, weight_decay: 0.0, nesterov: false },
            "adamw" => Self::Adamw { betas: BETAS, eps: eps(), weight_decay: 0.01 },
            "lars" => Self::Lars { momentum: 0.9, weight_decay: 0.0, trust: 1e-3 },
            "adam" => Self::Adam { betas: BETAS, eps: eps(), weight_decay: 0.0 },
            "nadam" => Self::Nadam { betas: BETAS, eps: eps(), weight_decay: 0.0, momentum_decay: momentum_decay() },
            "adamax" => Self::Adamax { betas: BETAS, eps: eps(), weight_decay: 0.0 },
            "rmsprop" => {
                Self::Rmsprop { alpha: alpha(), eps: eps(), weight_decay: 0.0, momentum: 0.0, centered: false }
            }
            "adagrad" => Self::Adagrad { lr_decay: 0.0, eps: eps_adagrad(), weight_decay: 0.0 },
            "adadelta" => Self::Adadelta { rho: rho(), eps: eps_adadelta(), weight_decay: 0.0 },
            "adabound" => {
                Self::Adabound { betas: BETAS, eps: eps(), weight_decay: 0.0, final_lr: final_lr(), gamma: gamma() }
            }
            _ => {
                return Err(TrainError::Setting {
                    what: "optimizer",
                    given: format!("{name:?}"),
                    why: "is none of sgd, adamw, lars, adam, nadam, adamax, rmsprop, adagrad, adadelta, adabound",
                });
            }
        })
    }

    /// The same optimiser with another weight decay.
    #[must_use]
    pub fn with_weight_decay(&self, to: f64) -> Self {
        let mut changed = self.clone();
        match &mut changed {
            Self::Sgd { weight_decay, .. }
            | Self::Adamw { weight_decay, .. }
            | Self::Adam { weight_decay, .. }
            | Self::Nadam { weight_decay, .. }
            | Self::Adamax { weight_decay, .. }
            | Self::Rmsprop { weight_decay, .. }
            | Self::Adagrad { weight_decay, .. }
            | Self::Adadelta { weight_decay, .. }
            | Self::Adabound { weight_decay, .. }
            | Self::Lars { weight_decay, .. } => *weight_decay = to,
        }
        changed
    }

    /// The optimiser, with empty state.
    pub fn build(&self) -> Box<dyn Optimizer> {
        match *self {
            Self::Sgd { momentum, weight_decay, nesterov } => Box::new(Sgd::new(momentum, weight_decay, nesterov)),
            Self::Adamw { betas, eps, weight_decay } => Box::new(AdamW::new(betas, eps, weight_decay)),
            Self::Lars { momentum, weight_decay, trust } => Box::new(Lars::new(momentum, weight_decay, trust)),
            Self::Adam { betas, eps, weight_decay } => Box::new(Adam::new(betas, eps, weight_decay)),
            Self::Nadam { betas, eps, weight_decay, momentum_decay } => {
                Box::new(NAdam::new(betas, eps, weight_decay, momentum_decay))
            }
            Self::Adamax { betas, eps, weight_decay } => Box::new(Adamax::new(betas, eps, weight_decay)),
            Self::Rmsprop { alpha, eps, weight_decay, momentum, centered } => {
                Box::new(RmsProp::new(alpha, eps, weight_decay, momentum, centered))
            }
            Self::Adagrad { lr_decay, eps, weight_decay } => Box::new(AdaGrad::new(lr_decay, eps, weight_decay)),
            Self::Adadelta { rho, eps, weight_decay } => Box::new(AdaDelta::new(rho, eps, weight_decay)),
            Self::Adabound { betas, eps, weight_decay, final_lr, gamma } => {
                Box::new(AdaBound::new(betas, eps, weight_decay, final_lr, gamma))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_optimisers_and_recipes_need_only_the_name() {
        for name in OptimSpec::NAMES {
            let spec = OptimSpec::named(name).unwrap();
            assert_eq!(spec.build().name(), name);
            if !["sgd", "adamw", "lars"].contains(&name) {
                let json = format!(r#"{{"name":"{name}"}}"#);
                assert_eq!(serde_json::from_str::<OptimSpec>(&json).unwrap(), spec);
            }
        }
        assert!(OptimSpec::named("adamm").is_err());
    }
}
