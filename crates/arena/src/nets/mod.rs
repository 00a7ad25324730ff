//! Small networks in plain Rust, their gradients written by hand, the same to the bit on every machine.

mod batch_norm;
mod conv;
mod dense;
mod gemm;
mod layer;
mod lstm;
mod net;

pub(crate) use batch_norm::BatchNorm;
pub(crate) use conv::{Conv, MeanPool};
pub(crate) use dense::{Dense, Relu, Scale, Tanh};
pub(crate) use layer::Layer;
pub(crate) use lstm::{Embed, Lstm};
pub(crate) use net::Net;

#[cfg(test)]
mod tests;
