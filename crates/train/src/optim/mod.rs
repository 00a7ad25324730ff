//! Optimisers with saved state, one file each (libtorch's own cannot be saved through tch).

mod adamw;
mod sgd;

use crate::TrainError;
pub use adamw::AdamW;
use hybridrepair_torch::{Params, Tensor};
use serde::{Deserialize, Serialize};
pub use sgd::Sgd;

/// Moves the weights of a model along their gradients.
pub trait Optimizer: Send {
    /// Its name in recipes.
    fn name(&self) -> &'static str;

    /// One step with this learning rate, in place. A parameter without gradient stays.
    fn step(&mut self, params: &Params, lr: f64);

    /// Everything that the next step depends on besides weights and gradients.
    fn state(&self) -> Vec<(String, Tensor)>;

    /// Takes over a saved state.
    ///
    /// # Errors
    /// When it belongs to another optimiser or another model.
    fn load_state(&mut self, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError>;
}

/// An optimiser with its settings, as in a recipe. Weight decay acts on all parameters, batch norm and biases included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum OptimSpec {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Momentum in [0, 1).
        momentum: f64,
        /// L2 penalty, added to the gradient.
        weight_decay: f64,
        /// Nesterov's look-ahead.
        nesterov: bool,
    },
    /// Adam with decoupled weight decay.
    Adamw {
        /// Decay rates of the two moments.
        betas: (f64, f64),
        /// Added to the denominator.
        eps: f64,
        /// Decoupled weight decay.
        weight_decay: f64,
    },
}

impl OptimSpec {
    /// The same optimiser with another weight decay.
    #[must_use]
    pub fn with_weight_decay(&self, to: f64) -> Self {
        let mut changed = self.clone();
        match &mut changed {
            Self::Sgd { weight_decay, .. } | Self::Adamw { weight_decay, .. } => *weight_decay = to,
        }
        changed
    }

    /// The optimiser, with empty state.
    pub fn build(&self) -> Box<dyn Optimizer> {
        match *self {
            Self::Sgd { momentum, weight_decay, nesterov } => Box::new(Sgd::new(momentum, weight_decay, nesterov)),
            Self::Adamw { betas, eps, weight_decay } => Box::new(AdamW::new(betas, eps, weight_decay)),
        }
    }
}

/// One state tensor per parameter, in the order of the parameters.
#[derive(Debug, Default)]
struct Slots {
    tensors: Vec<(String, Tensor)>,
}

impl Slots {
    /// Zeros like every parameter, made when first needed.
    fn ensure(&mut self, params: &Params) {
        if self.tensors.is_empty() {
            self.tensors = params.trained().map(|(n, t)| (n.to_owned(), t.zeros_like())).collect();
        }
    }

    fn save(&self, slot: &str) -> impl Iterator<Item = (String, Tensor)> {
        self.tensors.iter().map(move |(n, t)| (format!("{slot}.{n}"), t.copy()))
    }

    fn load(&mut self, slot: &str, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.tensors.clear();
        if !state.iter().any(|(n, _)| n.strip_prefix(slot).is_some_and(|rest| rest.starts_with('.'))) {
            return Ok(());
        }
        self.ensure(params);
        for (name, tensor) in &mut self.tensors {
            let wanted = format!("{slot}.{name}");
            let saved = state.iter().find(|(n, t)| *n == wanted && t.size() == tensor.size());
            let (_, saved) =
                saved.ok_or_else(|| TrainError::Resume(format!("optimiser state {wanted:?} is missing")))?;
            tch::no_grad(|| tensor.copy_(saved));
        }
        Ok(())
    }
}
