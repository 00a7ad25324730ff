use super::{Optimizer, Slots};
use crate::TrainError;
use hybridrepair_torch::{Kind, Params, Tensor};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), in `PyTorch`'s order of operations.
#[derive(Debug)]
pub struct AdamW {
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    steps: i64,
    first: Slots,
    second: Slots,
}

impl AdamW {
    /// With empty moments.
    pub fn new(betas: (f64, f64), eps: f64, weight_decay: f64) -> Self {
        Self { betas, eps, weight_decay, steps: 0, first: Slots::default(), second: Slots::default() }
    }
}

impl Optimizer for AdamW {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.first.ensure(params);
            self.second.ensure(params);
            self.steps += 1;
            let (b1, b2) = self.betas;
            let correct1 = 1.0 - b1.powi(self.steps as i32);
            let correct2 = 1.0 - b2.powi(self.steps as i32);
            let moments = self.first.tensors.iter_mut().zip(&mut self.second.tensors);
            for ((_, w), ((_, m), (_, v))) in params.trained().zip(moments) {
                let g = w.grad();
                if !g.defined() {
                    continue;
                }
                let mut w = w.shallow_clone();
                let _ = w.g_mul_scalar_(1.0 - lr * self.weight_decay);
                let _ = m.g_mul_scalar_(b1).g_add_(&(&g * (1.0 - b1)));
                let _ = v.g_mul_scalar_(b2).g_add_(&(&g * &g * (1.0 - b2)));
                let denominator = (&*v / correct2).sqrt() + self.eps;
                let _ = w.g_add_(&(&*m / denominator * (-lr / correct1)));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let steps = Tensor::from_slice(&[self.steps as f32]).to_kind(Kind::Float);
        let moments = self.first.save("first").chain(self.second.save("second"));
        moments.chain([("steps".to_owned(), steps)]).collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        let steps = state.iter().find(|(n, _)| n == "steps").map_or(0, |(_, t)| t.double_value(&[0]) as i64);
        self.first.load("first", state, params)?;
        self.second.load("second", state, params)?;
        self.steps = steps;
        Ok(())
    }
}
