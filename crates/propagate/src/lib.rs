//! Bought labels spread to samples nobody was paid for: over whole regions (published), to the nearest, or along the
//! edges of a neighbour graph; and how far the labels of a region agree.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod affinity;
mod error;
mod graph;
mod nearest;
mod propagator;
mod purity;
mod region;

pub use error::PropagateError;
pub use graph::GraphLabels;
pub use nearest::NearestLabel;
pub use propagator::Propagator;
pub use purity::{RegionPurity, pooled_agreement, region_purity};
pub use region::WholeRegion;
