use super::descent::Rule;

/// Gradient descent with momentum as `PyTorch` has it: `v = momentum v + g; x -= lr v`.
pub(crate) struct Sgd {
    lr: f32,
    momentum: f32,
    velocity: Vec<f32>,
}

impl Sgd {
    pub(crate) fn new(lr: f32, momentum: f32, n: usize) -> Self {
        Self { lr, momentum, velocity: vec![0.0; n] }
    }
}

impl Rule for Sgd {
    fn step(&mut self, params: &mut [f32], grad: &[f32], _: i32) {
        for ((p, v), &g) in params.iter_mut().zip(&mut self.velocity).zip(grad) {
            *v = self.momentum * *v + g;
            *p -= self.lr * *v;
        }
    }
}

/// `RMSProp` with `PyTorch`'s defaults: the gradient over the root of its average square.
pub(crate) struct RmsProp {
    lr: f32,
    square: Vec<f32>,
}

impl RmsProp {
    pub(crate) fn new(lr: f32, n: usize) -> Self {
        Self { lr, square: vec![0.0; n] }
    }
}

impl Rule for RmsProp {
    fn step(&mut self, params: &mut [f32], grad: &[f32], _: i32) {
        for ((p, s), &g) in params.iter_mut().zip(&mut self.square).zip(grad) {
            *s = 0.99 * *s + 0.01 * g * g;
            *p -= self.lr * g / (s.sqrt() + 1e-8);
        }
    }
}
