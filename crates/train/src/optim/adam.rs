use super::{Optimizer, Slots, Steps, gradient};
use crate::TrainError;
use hybridrepair_torch::{Params, Tensor};

/// Adam (Kingma and Ba 2015) with the L2 penalty in the gradient, in `PyTorch`'s order of operations. The decoupled form is
/// [`super::AdamW`].
#[derive(Debug)]
pub struct Adam {
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    steps: Steps,
    first: Slots,
    second: Slots,
}

impl Adam {
    /// With empty moments.
    pub fn new(betas: (f64, f64), eps: f64, weight_decay: f64) -> Self {
        let (steps, first, second) = Default::default();
        Self { betas, eps, weight_decay, steps, first, second }
    }
}

impl Optimizer for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.first.ensure(params);
            self.second.ensure(params);
            let t = self.steps.next();
            let (b1, b2) = self.betas;
            let (correct1, correct2) = (1.0 - b1.powi(t), 1.0 - b2.powi(t));
            let moments = self.first.tensors.iter_mut().zip(&mut self.second.tensors);
            for ((_, w), ((_, m), (_, v))) in params.trained().zip(moments) {
                let Some(g) = gradient(w, self.weight_decay) else { continue };
                let _ = m.g_mul_scalar_(b1).g_add_(&(&g * (1.0 - b1)));
                let _ = v.g_mul_scalar_(b2).g_add_(&(&g * &g * (1.0 - b2)));
                let denominator = v.sqrt() / correct2.sqrt() + self.eps;
                let _ = w.shallow_clone().g_add_(&(&*m / denominator * (-lr / correct1)));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.first.save("first").chain(self.second.save("second")).chain([self.steps.save()]).collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.first.load("first", state, params)?;
        self.second.load("second", state, params)?;
        self.steps = Steps::load(state);
        Ok(())
    }
}
