use super::Optimizer;
use crate::TrainError;
use hybridrepair_torch::{Kind, Params, Tensor};
use serde::{Deserialize, Serialize};

/// How gradients are bounded before the weights move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clip {
    /// Every entry is cut to `+-bound`.
    Value(f64),
    /// All gradients together are scaled down to this Euclidean norm.
    Norm(f64),
}

impl Clip {
    /// Bounds the gradients in place. A norm that is not finite leaves them as they are: a guard shall see it.
    pub fn apply(self, params: &Params) {
        let gradients = || params.trained().map(|(_, w)| w.grad()).filter(Tensor::defined);
        tch::no_grad(|| match self {
            Self::Value(bound) => gradients().for_each(|mut g| {
                let _ = g.clamp_(-bound, bound);
            }),
            Self::Norm(bound) => {
                let squares = |g: Tensor| g.to_kind(Kind::Double).square().sum(Kind::Double).double_value(&[]);
                let norm = gradients().map(squares).sum::<f64>().sqrt();
                if norm.is_finite() && norm > bound {
                    gradients().for_each(|mut g| {
                        let _ = g.g_mul_scalar_(bound / norm);
                    });
                }
            }
        });
    }
}

/// An optimiser that sees bounded gradients.
pub struct Clipped {
    /// Moves the weights.
    pub inner: Box<dyn Optimizer>,
    /// The bound.
    pub clip: Clip,
}

impl Optimizer for Clipped {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn step(&mut self, params: &Params, lr: f64) {
        self.clip.apply(params);
        self.inner.step(params, lr);
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.inner.state()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.inner.load_state(state, params)
    }
}
