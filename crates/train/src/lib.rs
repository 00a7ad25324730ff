//! The training loop and what it is made of.
//!
//! [`Fit::run`] is the loop, on one page. What a step learns is an [`Objective`], a value that gives the loss of one
//! step; how weights move is an [`Optimizer`] with saved state; who watches is an [`Observer`] that may stop the run or
//! roll it back. Every random number comes from a stream named by (seed, purpose, epoch, step), so a resumed run has
//! nothing to fast-forward and ends bit-equal to an uninterrupted one at equal threads.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod fit;
mod limited;
mod loss;
mod observer;
pub mod optim;
mod order;
mod schedule;
mod state;
mod supervised;

pub use error::TrainError;
pub use fit::{Fit, FitOutcome};
pub use limited::{Limited, Limits, STOPPED};
pub use loss::{cross_entropy, one_hot, smooth_one_hot};
pub use observer::{At, EpochReading, NoObserver, Observer, Reading, Verdict};
pub use optim::{OptimSpec, Optimizer};
pub use order::{shuffled_batches, weighted_draws};
pub use schedule::Schedule;
pub use state::{ResumeState, load_state, save_state};
pub use supervised::{Example, Supervised, SupervisedData, Transform};

use hybridrepair_torch::{Model, Tensor};

/// The loss of one step.
#[derive(Debug)]
pub struct StepLoss {
    /// A scalar to minimise.
    pub loss: Tensor,
    /// Pictures whose gradient it carries (views counted).
    pub images_trained: u64,
    /// Pictures that were only predicted on the way.
    pub images_forward: u64,
}

/// What training shall learn: gives the loss of one step at a time. No optimiser and no logging inside.
pub trait Objective {
    /// Its name in logs.
    fn name(&self) -> &'static str;

    /// Prepares an epoch, for instance chooses the replay samples. Must depend on nothing but the model, the objective's
    /// settings and `epoch`, so that a resumed run prepares the same.
    ///
    /// # Errors
    /// When there is nothing to learn from, or libtorch fails.
    fn begin_epoch(&mut self, model: &Model, epoch: usize) -> Result<(), TrainError>;

    /// The loss of a step, or `None` when the epoch is over.
    ///
    /// # Errors
    /// When libtorch fails.
    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError>;

    /// Steps of the epoch that was begun, as far as known, for progress bars.
    fn planned_steps(&self) -> usize;

    /// Named readings at the end of an epoch, such as the mean entropy on the pool.
    ///
    /// # Errors
    /// When libtorch fails.
    fn end_epoch(&mut self, model: &Model, epoch: usize) -> Result<Vec<(String, f64)>, TrainError>;

    /// The model to keep after an epoch where it is not the one that moves, such as an average of its weights.
    fn averaged(&self) -> Option<&Model> {
        None
    }

    /// What the objective itself remembers from step to step, saved with the model after every epoch.
    fn state(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }

    /// Takes over a saved state, after the model has taken over its own.
    ///
    /// # Errors
    /// When it belongs to another objective or model.
    fn load_state(&mut self, _state: &[(String, Tensor)], _model: &Model) -> Result<(), TrainError> {
        Ok(())
    }
}
