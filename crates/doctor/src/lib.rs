//! Problems of a training run, recognised from gradients and learning curves, and repaired by changed plans (`AutoTrainer`,
//! Zhang et al., ICSE 2021).
//!
//! Nothing here trains or touches tensors. [`Reading`]s are data: whoever trains takes them, [`Rules`] of a profile judge
//! them, and finished runs can be judged again ([`replay`]). A [`Plan`] says how something is trained; a
//! [`Remedy`](remedies::Remedy) turns it into another one; the [`Solver`] tries remedies through a [`Trainer`].
//!
//! ```
//! use hybridrepair_doctor::{Facts, MonitorSettings, Problem, Reading, Score, replay, rules};
//!
//! // accuracy that stays at chance for 60 epochs
//! let facts = Facts { epochs: 60, interval: 3, classes: 2, chance: 0.5, train_samples: 700, val_samples: 300, output: None };
//! let score = Score { loss: 0.693, acc: 0.5 };
//! let readings = (0..60).map(|epoch| Reading { epoch, train: score, val: score, diverged: false, probe: None });
//! let found = replay(&facts, &readings.collect::<Vec<_>>(), &mut *rules(&MonitorSettings::default()), true);
//! assert_eq!(found[0].problem, Problem::SlowConvergence);
//! assert_eq!(found[0].epoch, 39, "the second check in a row after 60 % of the epochs");
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod control;
mod demo;
mod error;
mod init;
mod net;
mod number;
mod plan;
mod problem;
mod profile;
mod reading;
pub mod remedies;
mod settings;
mod solve;
pub mod symptoms;
mod trainer;

pub use control::{Control, random_control};
pub use demo::{Demo, Points};
pub use error::DoctorError;
pub use init::Init;
pub use net::{Activation, Layer, NetSpec, Pooling};
pub use plan::{Clipping, Loss, OptimizerPlan, Plan, Plateau, Scaling, Weights};
pub use problem::{Finding, Problem};
pub use profile::{Extended23, House, HouseThresholds, Icse21, Rules, replay, rules};
pub use reading::{Facts, History, LayerReading, OutputFacts, OutputReading, Probe, Reading, ReadingLine, Score};
pub use remedies::Strategy;
pub use settings::{Mode, MonitorSettings, ProfileName, Thresholds};
pub use solve::{Ending, Outcome, Solver};
pub use trainer::{Attempt, Job, Journal, Memory, Trainer, Trial, Verdict};

/// A probe whose layers have these gradient norms.
#[cfg(test)]
fn test_probe(norms: &[f64], zeros: f64) -> Probe {
    let layer = |(i, gradient): (usize, &f64)| LayerReading {
        name: i.to_string(),
        gradient: *gradient,
        weight: 1.0,
        dead: None,
        activation: None,
    };
    Probe {
        layers: norms.iter().enumerate().map(layer).collect(),
        zeros,
        finite_gradients: norms.iter().all(|n| n.is_finite()),
        finite_weights: true,
        output: None,
    }
}

/// A plan for two features and three classes.
#[cfg(test)]
fn test_plan(hidden: &[usize], function: Activation) -> Plan {
    Plan {
        epochs: 100,
        batch_size: 16,
        loss: Loss::CrossEntropy,
        scaling: Scaling::None,
        early_stop: None,
        draw: 0,
        clip: None,
        plateau: None,
        optimizer: OptimizerPlan::new("sgd", 0.01),
        net: Some(NetSpec::mlp(2, hidden, function, 3, Activation::Softmax)),
    }
}
