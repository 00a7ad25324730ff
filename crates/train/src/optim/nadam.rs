use super::{Optimizer, Slots, Steps, exact, gradient, read_exact};
use crate::TrainError;
use hybridrepair_torch::{Params, Tensor};

/// Adam with Nesterov's momentum (Dozat 2016), as `PyTorch` has it: the momentum of step `t` is
/// `b1 * (1 - 0.5 * 0.96^(t * momentum_decay))`.
#[derive(Debug)]
pub struct NAdam {
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    momentum_decay: f64,
    steps: Steps,
    /// Product of all momenta so far.
    product: f64,
    first: Slots,
    second: Slots,
}

impl NAdam {
    /// With empty moments.
    pub fn new(betas: (f64, f64), eps: f64, weight_decay: f64, momentum_decay: f64) -> Self {
        let (steps, first, second) = Default::default();
        Self { betas, eps, weight_decay, momentum_decay, steps, product: 1.0, first, second }
    }
}

impl Optimizer for NAdam {
    fn name(&self) -> &'static str {
        "nadam"
    }

    fn step(&mut self, params: &Params, lr: f64) {
        tch::no_grad(|| {
            self.first.ensure(params);
            self.second.ensure(params);
            let t = self.steps.next();
            let (b1, b2) = self.betas;
            let momentum = |t: i32| b1 * (1.0 - 0.5 * 0.96f64.powf(f64::from(t) * self.momentum_decay));
            let (now, next) = (momentum(t), momentum(t + 1));
            self.product *= now;
            let of_gradient = -lr * (1.0 - now) / (1.0 - self.product);
            let of_moment = -lr * next / (1.0 - self.product * next);
            let correct2 = 1.0 - b2.powi(t);
            let moments = self.first.tensors.iter_mut().zip(&mut self.second.tensors);
            for ((_, w), ((_, m), (_, v))) in params.trained().zip(moments) {
                let Some(g) = gradient(w, self.weight_decay) else { continue };
                let _ = m.g_mul_scalar_(b1).g_add_(&(&g * (1.0 - b1)));
                let _ = v.g_mul_scalar_(b2).g_add_(&(&g * &g * (1.0 - b2)));
                let denominator = (&*v / correct2).sqrt() + self.eps;
                let _ = w.shallow_clone().g_add_(&(g * of_gradient / &denominator));
                let _ = w.shallow_clone().g_add_(&(&*m * of_moment / denominator));
            }
        });
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let numbers = [self.steps.save(), ("product".to_owned(), exact(self.product))];
        self.first.save("first").chain(self.second.save("second")).chain(numbers).collect()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.first.load("first", state, params)?;
        self.second.load("second", state, params)?;
        self.steps = Steps::load(state);
        self.product = read_exact("product", state).unwrap_or(1.0);
        Ok(())
    }
}
