use super::{Optimizer, slots::Slots};
use crate::TrainError;
use hybridrepair_torch::{Kind, Params, Tensor};

/// Layer-wise adaptive rate scaling (You, Gitman and Ginsburg 2017) as `MoCo` v3 uses it: for tensors of more than one
/// dimension `g += wd * w; g *= trust * |w| / |g|` (where both lengths are above 0), then `v = momentum * v + g;
/// w -= lr * v`. Biases and batch-norm weights are neither decayed nor scaled.
#[derive(Debug)]
pub struct Lars {
    momentum: f64,
    weight_decay: f64,
    trust: f64,
    velocity: Slots,
}

impl Lars {
    /// With empty velocity.
    pub fn new(momentum: f64, weight_decay: f64, trust: f64) -> Self {
        Self { momentum, weight_decay, trust, velocity: Slots::default() }
    }

    /// The gradient of a tensor of several dimensions, decayed and scaled.
    fn scaled(&self, w: &Tensor, g: &Tensor) -> Tensor {
        let g = g + w * self.weight_decay;
        let (of_w, of_g) = (w.norm(), g.norm());
        // a tensor of zeros, or without gradient, is moved by the plain rate; decided on the device
        let usable = of_w.gt(0.0).logical_and(&of_g.gt(0.0)).to_kind(Kind::Float);
        let ratio = &of_w / of_g.clamp_min(f64::from(f32::MIN_POSITIVE)) * self.trust;
        let factor = ratio.nan_to_num(1.0, 1.0, 1.0) * &usable + (1.0 - &usable);
        g * factor
    }
}

impl Optimizer for Lars {
    fn name(&self) -> &'static str {
        "lars"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.velocity.ensure(params);
            let velocity = std::mem::take(&mut self.velocity.tensors);
            for ((_, w), (_, v)) in params.trained().zip(&velocity) {
                let g = w.grad();
                if !g.defined() {
                    continue;
                }
                let g = if w.dim() > 1 { self.scaled(w, &g) } else { g };
                let mut v = v.shallow_clone();
                let _ = v.g_mul_scalar_(self.momentum).g_add_(&g);
                let _ = w.shallow_clone().g_add_(&(v * -lr));
            }
            self.velocity.tensors = velocity;
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.velocity.save("velocity").collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.velocity.load("velocity", state, params)
    }
}
