use hybridrepair_core::Stream;
use rand::Rng;
use rand_distr::StandardNormal;

/// The random numbers of a search, so that a test can write them down beforehand.
pub trait Draws {
    /// A standard normal number.
    fn normal(&mut self) -> f64;

    /// A number in [0, 1).
    fn uniform(&mut self) -> f64;

    /// A whole number below `n`.
    fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n - 1)
    }
}

impl Draws for Stream {
    fn normal(&mut self) -> f64 {
        self.sample(StandardNormal)
    }

    fn uniform(&mut self) -> f64 {
        self.r#gen()
    }
}
