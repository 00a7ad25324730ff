use super::{Optimizer, Slots};
use crate::TrainError;
use hybridrepair_torch::{Params, Tensor};

/// Stochastic gradient descent as `PyTorch` has it: `g += wd * w; v = momentum * v + g; w -= lr * v`
/// (with Nesterov `w -= lr * (g + momentum * v)`). The first step takes `v = g`, which zeros in `v` give as well.
#[derive(Debug)]
pub struct Sgd {
    momentum: f64,
    weight_decay: f64,
    nesterov: bool,
    velocity: Slots,
}

impl Sgd {
    /// With empty velocity.
    pub fn new(momentum: f64, weight_decay: f64, nesterov: bool) -> Self {
        Self { momentum, weight_decay, nesterov, velocity: Slots::default() }
    }
}

impl Optimizer for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.velocity.ensure(params);
            for ((_, w), (_, v)) in params.trained().zip(&mut self.velocity.tensors) {
                let g = w.grad();
                if !g.defined() {
                    continue;
                }
                let g = if self.weight_decay == 0.0 { g } else { g + w * self.weight_decay };
                let _ = v.g_mul_scalar_(self.momentum).g_add_(&g);
                let direction = if self.nesterov { g + &*v * self.momentum } else { v.shallow_clone() };
                let _ = w.shallow_clone().g_add_(&(direction * -lr));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.velocity.save("velocity").collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.velocity.load("velocity", state, params)
    }
}
