//! Trainings that the rules of the doctor watch and repair, on libtorch.
//!
//! [`build`] makes a model of an editable specification; a [`Task`] is data and a way from plans to models, for arrays
//! [`ArrayTask`]; [`TorchTrainer`] trains plans under watch and is what [`hybridrepair_doctor::Solver`] drives. [`probe()`]
//! reads gradients and outputs.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arrays;
mod error;
mod monitor;
mod net;
mod optim;
mod points;
mod probe;
mod sink;
mod task;
mod trainer;
mod watch;

pub use arrays::Arrays;
pub use error::TrainerError;
pub use monitor::Monitor;
pub use net::build;
pub use points::{blob, circle};
pub use probe::{probe, read_gradients};
pub use sink::{InMemory, Moment, Sink, Snapshot};
pub use task::{ArrayTask, Task, loss_of};
pub use trainer::{TorchTrainer, Watched};
