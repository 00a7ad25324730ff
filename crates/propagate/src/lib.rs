//! Bought labels spread to samples nobody was paid for.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod propagator;
mod region;

pub use error::PropagateError;
pub use propagator::Propagator;
pub use region::WholeRegion;
