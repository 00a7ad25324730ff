//! Optimisers with saved state, one file each (libtorch's own cannot be saved through tch).

mod adabound;
mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod clip;
mod nadam;
mod rmsprop;
mod sgd;
mod slots;
mod spec;

use crate::TrainError;
pub use adabound::AdaBound;
pub use adadelta::AdaDelta;
pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use clip::{Clip, Clipped};
use hybridrepair_torch::{Params, Tensor};
pub use nadam::NAdam;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
use slots::{Slots, Steps, exact, gradient, read_exact};
pub use spec::OptimSpec;

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
