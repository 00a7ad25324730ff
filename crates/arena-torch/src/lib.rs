//! Tasks of the arena whose models are on libtorch: pictures, networks of this project, a checkpoint to begin with or none.
//!
//! Entries see them as they see every task, through oracles. On a CPU results are equal on repeat at an equal number of
//! threads; the work to a target is not the same on every machine, as it is for tasks in plain Rust.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cifar;
mod lesson;
mod pictures;
mod resnet;

pub use cifar::{CIFAR, Cifar, cifar};
pub use lesson::{Judged, Lesson, MakeModel, Start};
pub use pictures::PictureProblem;
pub use resnet::resnet18;
