use super::{Optimizer, Slots, Steps, gradient};
use crate::TrainError;
use hybridrepair_torch::{Params, Tensor};

/// Adam with the infinity norm instead of the second moment (Kingma and Ba 2015, section 7.1), as `PyTorch` has it:
/// `u = max(b2 * u, |g| + eps)`.
#[derive(Debug)]
pub struct Adamax {
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    steps: Steps,
    first: Slots,
    norm: Slots,
}

impl Adamax {
    /// With empty moment and norm.
    pub fn new(betas: (f64, f64), eps: f64, weight_decay: f64) -> Self {
        let (steps, first, norm) = Default::default();
        Self { betas, eps, weight_decay, steps, first, norm }
    }
}

impl Optimizer for Adamax {
    fn name(&self) -> &'static str {
        "adamax"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.first.ensure(params);
            self.norm.ensure(params);
            let t = self.steps.next();
            let (b1, b2) = self.betas;
            let rate = lr / (1.0 - b1.powi(t));
            let state = self.first.tensors.iter_mut().zip(&mut self.norm.tensors);
            for ((_, w), ((_, m), (_, u))) in params.trained().zip(state) {
                let Some(g) = gradient(w, self.weight_decay) else { continue };
                let _ = m.g_mul_scalar_(b1).g_add_(&(&g * (1.0 - b1)));
                let larger = (&*u * b2).maximum(&(g.abs() + self.eps));
                u.copy_(&larger);
                let _ = w.shallow_clone().g_add_(&(&*m / &*u * -rate));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.first.save("first").chain(self.norm.save("norm")).chain([self.steps.save()]).collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.first.load("first", state, params)?;
        self.norm.load("norm", state, params)?;
        self.steps = Steps::load(state);
        Ok(())
    }
}
