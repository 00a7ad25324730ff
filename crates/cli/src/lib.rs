//! The command-line tool `hybridrepair`: arguments, exit codes, and the commands that need no libtorch.
//!
//! There are two programs. `hybridrepair` parses the arguments and runs the light commands itself; the others it hands,
//! unchanged, to `hybridrepair-worker`, which is linked with libtorch and sits beside it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod args;
mod exit;
mod failure;
mod flags;
mod handover;
pub mod light;
mod say;

pub use exit::Exit;
pub use failure::Failure;
pub use flags::{class_names, input_sides};
pub use handover::{end_with_parent, hand_over};
pub use say::{print_line, remarks};
