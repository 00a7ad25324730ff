use super::{Optimizer, Slots, Steps, exact, gradient, read_exact};
use crate::TrainError;
use hybridrepair_torch::{Params, Tensor};

/// Adam whose rate per weight is clipped between bounds that meet at the rate of plain descent (Luo et al. 2019).
///
/// Bounds at step `t`: `final * (1 - 1 / (gamma t + 1))` and `final * (1 + 1 / (gamma t))`. Algorithm 2 of the paper also
/// divides by `sqrt(t)`, which its regret bound needs and its experiments do without; the moments are corrected for their
/// start as Adam's are. `final_lr` belongs to the highest rate of the schedule so far and falls with the rate.
#[derive(Debug)]
pub struct AdaBound {
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    final_lr: f64,
    gamma: f64,
    highest: f64,
    steps: Steps,
    first: Slots,
    second: Slots,
}

impl AdaBound {
    /// With empty moments.
    pub fn new(betas: (f64, f64), eps: f64, weight_decay: f64, final_lr: f64, gamma: f64) -> Self {
        let (steps, first, second) = Default::default();
        Self { betas, eps, weight_decay, final_lr, gamma, highest: 0.0, steps, first, second }
    }
}

impl Optimizer for AdaBound {
    fn name(&self) -> &'static str {
        "adabound"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.first.ensure(params);
            self.second.ensure(params);
            let t = self.steps.next();
            let (b1, b2) = self.betas;
            self.highest = self.highest.max(lr);
            let last = if self.highest > 0.0 { self.final_lr * lr / self.highest } else { 0.0 };
            let grown = self.gamma * f64::from(t);
            let (low, high) = (last * (1.0 - 1.0 / (grown + 1.0)), last * (1.0 + 1.0 / grown));
            let rate = lr * (1.0 - b2.powi(t)).sqrt() / (1.0 - b1.powi(t));
            let moments = self.first.tensors.iter_mut().zip(&mut self.second.tensors);
            for ((_, w), ((_, m), (_, v))) in params.trained().zip(moments) {
                let Some(g) = gradient(w, self.weight_decay) else { continue };
                let _ = m.g_mul_scalar_(b1).g_add_(&(&g * (1.0 - b1)));
                let _ = v.g_mul_scalar_(b2).g_add_(&(&g * &g * (1.0 - b2)));
                let rates = ((v.sqrt() + self.eps).reciprocal() * rate).clamp(low, high);
                let _ = w.shallow_clone().g_add_(&(rates * &*m * -1.0));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let numbers = [self.steps.save(), ("highest".to_owned(), exact(self.highest))];
        self.first.save("first").chain(self.second.save("second")).chain(numbers).collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.first.load("first", state, params)?;
        self.second.load("second", state, params)?;
        self.steps = Steps::load(state);
        self.highest = read_exact("highest", state).unwrap_or(0.0);
        Ok(())
    }
}
