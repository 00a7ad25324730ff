use super::descent::Rule;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f32 = 1e-8;

/// Adam (Kingma and Ba, 2015), with decoupled weight decay (Loshchilov and Hutter, 2019) where it is above 0.
pub(crate) struct Adam {
    lr: f64,
    decay: f32,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    pub(crate) fn new(lr: f64, decay: f32, n: usize) -> Self {
        Self { lr, decay, mean: vec![0.0; n], square: vec![0.0; n] }
    }
}

impl Rule for Adam {
    fn step(&mut self, params: &mut [f32], grad: &[f32], t: i32) {
        let (beta1, beta2) = (BETA1 as f32, BETA2 as f32);
        let rate = (self.lr / (1.0 - power(BETA1, t))) as f32;
        let unbias = (1.0 / (1.0 - power(BETA2, t))) as f32;
        let keep = 1.0 - self.lr as f32 * self.decay;
        for (((p, m), v), &g) in params.iter_mut().zip(&mut self.mean).zip(&mut self.square).zip(grad) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *p = *p * keep - rate * *m / ((*v * unbias).sqrt() + EPSILON);
        }
    }
}

/// Adam with Nesterov momentum (Dozat, 2016) and `PyTorch`'s schedule of the momentum.
pub(crate) struct Nadam {
    lr: f64,
    product: f64,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Nadam {
    pub(crate) fn new(lr: f64, n: usize) -> Self {
        Self { lr, product: 1.0, mean: vec![0.0; n], square: vec![0.0; n] }
    }
}

impl Rule for Nadam {
    fn step(&mut self, params: &mut [f32], grad: &[f32], t: i32) {
        let momentum = |t: i32| BETA1 * (1.0 - 0.5 * libm::pow(0.96, f64::from(t) * 0.004));
        let (now, next) = (momentum(t), momentum(t + 1));
        self.product *= now;
        let of_grad = (self.lr * (1.0 - now) / (1.0 - self.product)) as f32;
        let of_mean = (self.lr * next / (1.0 - self.product * next)) as f32;
        let (beta1, beta2) = (BETA1 as f32, BETA2 as f32);
        let unbias = (1.0 / (1.0 - power(BETA2, t))) as f32;
        for (((p, m), v), &g) in params.iter_mut().zip(&mut self.mean).zip(&mut self.square).zip(grad) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *p -= (of_grad * g + of_mean * *m) / ((*v * unbias).sqrt() + EPSILON);
        }
    }
}

/// The "Adam" that the competition shipped: its moments are never stored, so every step is the first one, scaled by the
/// bias correction of step t; epsilon inside the root; decay `1 - 1e-5` per step.
pub(crate) struct Memoryless;

impl Rule for Memoryless {
    fn step(&mut self, params: &mut [f32], grad: &[f32], t: i32) {
        let rate = (1e-3 * (1.0 - power(BETA2, t)).sqrt() / (1.0 - power(BETA1, t))) as f32;
        for (p, &g) in params.iter_mut().zip(grad) {
            *p = *p * (1.0 - 1e-5) - rate * 0.1 * g / (0.001 * g * g + EPSILON).sqrt();
        }
    }
}

/// A power that is the same on every machine.
pub(crate) fn power(base: f64, t: i32) -> f64 {
    libm::pow(base, f64::from(t))
}
