//! Cases that show one problem each, as the published system ships them or as they were measured beside it.

use crate::{Activation, DoctorError, Init, Loss, NetSpec, OptimizerPlan, Plan, Problem, Scaling};

/// Generated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Points {
    /// Two circles around each other, two classes.
    Circle,
    /// Three Gaussians, three classes.
    Blob,
}

/// A case.
#[derive(Clone, Debug, PartialEq)]
pub struct Demo {
    /// Its name.
    pub name: &'static str,
    /// The problem that it shows.
    pub problem: Problem,
    /// The data.
    pub points: Points,
    /// Accuracy that counts as good.
    pub good: f64,
    /// The plan.
    pub plan: Plan,
}

impl Demo {
    /// The names of all.
    pub const NAMES: [&'static str; 6] = ["vanish", "explode", "dying", "oscillate", "slow", "activation"];

    /// The case of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self, DoctorError> {
        Ok(match name {
            "vanish" => vanish(),
            "explode" => explode(),
            "dying" => dying(),
            "oscillate" => oscillate(),
            "slow" => slow(),
            "activation" => activation(),
            _ => {
                let known = Self::NAMES.join(", ");
                return Err(DoctorError::setting("demo", format!("{name:?}"), format!("is none of {known}")));
            }
        })
    }
}

/// One output on `circle`.
fn on_circle(net: NetSpec, epochs: usize, batch_size: usize, optimizer: OptimizerPlan) -> Plan {
    Plan {
        epochs,
        batch_size,
        loss: Loss::BinaryCrossEntropy,
        scaling: Scaling::MinMax,
        early_stop: None,
        draw: 0,
        clip: None,
        plateau: None,
        optimizer,
        net: Some(net),
    }
}

/// Three outputs on `blob`.
fn on_blob(net: NetSpec, epochs: usize, batch_size: usize, optimizer: OptimizerPlan) -> Plan {
    let plan = on_circle(net, epochs, batch_size, optimizer);
    Plan { loss: Loss::CrossEntropy, scaling: Scaling::None, ..plan }
}

/// Eight small sigmoid layers: published case "`Gradient_Vanish`".
fn vanish() -> Demo {
    let net = NetSpec::mlp(2, &[5; 8], Activation::Sigmoid, 1, Activation::Sigmoid).with_init(Init::HeUniform);
    let plan = on_circle(net, 300, 128, OptimizerPlan::new("adam", 1e-3));
    Demo { name: "vanish", problem: Problem::VanishingGradient, points: Points::Circle, good: 0.6, plan }
}

/// Weights drawn far too large.
fn explode() -> Demo {
    let net = NetSpec::mlp(2, &[50; 8], Activation::Relu, 1, Activation::Sigmoid).with_init(Init::Normal(1.0));
    let plan = on_circle(net, 100, 32, OptimizerPlan::new("sgd", 0.01));
    Demo { name: "explode", problem: Problem::ExplodingGradient, points: Points::Circle, good: 0.6, plan }
}

/// Twenty narrow `ReLU` layers.
fn dying() -> Demo {
    let net = NetSpec::mlp(2, &[10; 20], Activation::Relu, 1, Activation::Sigmoid);
    let plan = on_circle(net, 100, 32, OptimizerPlan::new("adam", 1e-3));
    Demo { name: "dying", problem: Problem::DyingRelu, points: Points::Circle, good: 0.7, plan }
}

/// Steps after every sample with momentum: published case "`Oscillating_Loss`".
fn oscillate() -> Demo {
    let mut net = NetSpec::mlp(2, &[50], Activation::Relu, 3, Activation::Softmax);
    hidden_init(&mut net, Init::HeUniform);
    let optimizer = OptimizerPlan { momentum: 0.9, ..OptimizerPlan::new("sgd", 0.01) };
    Demo {
        name: "oscillate",
        problem: Problem::Oscillation,
        points: Points::Blob,
        good: 0.6,
        plan: on_blob(net, 200, 1, optimizer),
    }
}

/// A rate that is four powers of ten too low.
fn slow() -> Demo {
    let net = NetSpec::mlp(2, &[50], Activation::Relu, 3, Activation::Softmax);
    let plan = on_blob(net, 100, 32, OptimizerPlan::new("sgd", 1e-6));
    Demo { name: "slow", problem: Problem::SlowConvergence, points: Points::Blob, good: 0.7, plan }
}

/// A `ReLU` where the softmax belongs: published case "`Improper_Activation`".
fn activation() -> Demo {
    let mut net = NetSpec::mlp(2, &[50; 4], Activation::Relu, 3, Activation::Relu);
    hidden_init(&mut net, Init::HeUniform);
    let plan = on_blob(net, 300, 256, OptimizerPlan::new("adam", 1e-4));
    Demo { name: "activation", problem: Problem::OutputActivation, points: Points::Blob, good: 0.7, plan }
}

/// Initial weights of all layers but the last, which keeps the network's.
fn hidden_init(net: &mut NetSpec, with: Init) {
    let last = net.layers.len().saturating_sub(1);
    for layer in &mut net.layers[..last] {
        if let Some((init, _)) = layer.inits() {
            *init = Some(with);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demo_is_there_and_can_be_trained() {
        for name in Demo::NAMES {
            let demo = Demo::named(name).unwrap();
            assert_eq!(demo.name, name);
            demo.plan.check().unwrap();
        }
        assert!(Demo::named("sleepy").is_err());
    }
}
