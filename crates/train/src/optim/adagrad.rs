use super::{Optimizer, Slots, Steps, gradient};
use crate::TrainError;
use hybridrepair_torch::{Params, Tensor};

/// Gradients over the root of the sum of their squares (Duchi, Hazan and Singer 2011), as `PyTorch` has it.
#[derive(Debug)]
pub struct AdaGrad {
    lr_decay: f64,
    eps: f64,
    weight_decay: f64,
    steps: Steps,
    sum: Slots,
}

impl AdaGrad {
    /// With an empty sum.
    pub fn new(lr_decay: f64, eps: f64, weight_decay: f64) -> Self {
        let (steps, sum) = Default::default();
        Self { lr_decay, eps, weight_decay, steps, sum }
    }
}

impl Optimizer for AdaGrad {
    fn name(&self) -> &'static str {
        "adagrad"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.sum.ensure(params);
            let before = f64::from(self.steps.next() - 1);
            let rate = lr / (1.0 + before * self.lr_decay);
            for ((_, w), (_, sum)) in params.trained().zip(&mut self.sum.tensors) {
                let Some(g) = gradient(w, self.weight_decay) else { continue };
                let _ = sum.g_add_(&(&g * &g));
                let _ = w.shallow_clone().g_add_(&(g / (sum.sqrt() + self.eps) * -rate));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.sum.save("sum").chain([self.steps.save()]).collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.sum.load("sum", state, params)?;
        self.steps = Steps::load(state);
        Ok(())
    }
}
