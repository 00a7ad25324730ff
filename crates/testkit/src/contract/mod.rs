//! What every implementation of a trait must keep, as functions and macros.

pub mod strategy;
