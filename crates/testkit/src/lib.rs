//! Synthetic worlds and contract suites for the tests of hybridrepair.
//!
//! A [`World`] is a small field pool with everything that a strategy may look at and the truth that it may not; a
//! [`FakeModel`] is a classifier in closed form; [`contract`] holds what every implementation of a trait must keep.
#![expect(clippy::unwrap_used, reason = "a test crate fails by panicking")]

pub mod contract;
mod fake_model;
mod permute;
mod world;
mod worlds;

pub use fake_model::FakeModel;
pub use permute::permute;
pub use world::{World, WorldSpec};
pub use worlds::any_world;
