use super::{Optimizer, Slots, gradient};
use crate::TrainError;
use hybridrepair_torch::{Params, Tensor};

/// Gradients scaled by the root mean square of past changes over that of past gradients (Zeiler 2012), as `PyTorch` has it.
#[derive(Debug)]
pub struct AdaDelta {
    rho: f64,
    eps: f64,
    weight_decay: f64,
    square: Slots,
    change: Slots,
}

impl AdaDelta {
    /// With empty averages.
    pub fn new(rho: f64, eps: f64, weight_decay: f64) -> Self {
        let (square, change) = Default::default();
        Self { rho, eps, weight_decay, square, change }
    }
}

impl Optimizer for AdaDelta {
    fn name(&self) -> &'static str {
        "adadelta"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.square.ensure(params);
            self.change.ensure(params);
            let keep = self.rho;
            let averages = self.square.tensors.iter_mut().zip(&mut self.change.tensors);
            for ((_, w), ((_, square), (_, change))) in params.trained().zip(averages) {
                let Some(g) = gradient(w, self.weight_decay) else { continue };
                let _ = square.g_mul_scalar_(keep).g_add_(&(&g * &g * (1.0 - keep)));
                let delta = (&*change + self.eps).sqrt() / (&*square + self.eps).sqrt() * g;
                let _ = change.g_mul_scalar_(keep).g_add_(&(&delta * &delta * (1.0 - keep)));
                let _ = w.shallow_clone().g_add_(&(delta * -lr));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.square.save("square").chain(self.change.save("change")).collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.square.load("square", state, params)?;
        self.change.load("change", state, params)
    }
}
