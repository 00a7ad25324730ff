use super::{Optimizer, Slots, gradient};
use crate::TrainError;
use hybridrepair_torch::{Params, Tensor};

/// Gradients over the root of their mean square (Tieleman and Hinton 2012), as `PyTorch` has it: with `centered` their
/// variance instead, with momentum on the quotient.
#[derive(Debug)]
pub struct RmsProp {
    alpha: f64,
    eps: f64,
    weight_decay: f64,
    momentum: f64,
    centered: bool,
    square: Slots,
    mean: Slots,
    velocity: Slots,
}

impl RmsProp {
    /// With empty averages.
    pub fn new(alpha: f64, eps: f64, weight_decay: f64, momentum: f64, centered: bool) -> Self {
        let (square, mean, velocity) = Default::default();
        Self { alpha, eps, weight_decay, momentum, centered, square, mean, velocity }
    }
}

impl Optimizer for RmsProp {
    fn name(&self) -> &'static str {
        "rmsprop"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.square.ensure(params);
            if self.centered {
                self.mean.ensure(params);
            }
            if self.momentum > 0.0 {
                self.velocity.ensure(params);
            }
            let keep = self.alpha;
            for (i, (_, w)) in params.trained().enumerate() {
                let Some(g) = gradient(w, self.weight_decay) else { continue };
                let square = &mut self.square.tensors[i].1;
                let _ = square.g_mul_scalar_(keep).g_add_(&(&g * &g * (1.0 - keep)));
                let spread = if self.centered {
                    let mean = &mut self.mean.tensors[i].1;
                    let _ = mean.g_mul_scalar_(keep).g_add_(&(&g * (1.0 - keep)));
                    &*square - &*mean * &*mean
                } else {
                    square.shallow_clone()
                };
                let direction = g / (spread.sqrt() + self.eps);
                let direction = if self.momentum > 0.0 {
                    let velocity = &mut self.velocity.tensors[i].1;
                    velocity.g_mul_scalar_(self.momentum).g_add_(&direction)
                } else {
                    direction
                };
                let _ = w.shallow_clone().g_add_(&(direction * -lr));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.square.save("square").chain(self.mean.save("mean")).chain(self.velocity.save("velocity")).collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.square.load("square", state, params)?;
        self.mean.load("mean", state, params)?;
        self.velocity.load("velocity", state, params)
    }
}
