//! Bought labels spread to samples nobody was paid for: over whole regions (published), to the nearest, or along the
//! edges of a neighbour graph; and how far the labels of a region agree.
//!
//! ```
//! use hybridrepair_core::{ClassId, Embeddings, LabelSet, PoolIdx, Selection};
//! use hybridrepair_kernels::knn_graph;
//! use hybridrepair_propagate::{GraphLabels, Propagator};
//! // two directions, of each one sample with a label
//! let x = ndarray::array![[1.0f32, 0.0], [1.0, 0.1], [1.0, 0.2], [0.0, 1.0], [0.1, 1.0], [0.2, 1.0]];
//! let x = Embeddings::new(x)?;
//! let mut bought = LabelSet::new();
//! bought.insert_bought(PoolIdx(0), ClassId(7));
//! bought.insert_bought(PoolIdx(3), ClassId(2));
//! // the graph is computed once and may serve other purposes too
//! let graph = knn_graph((&x.normalized()).into(), 2)?;
//! let labels = GraphLabels { graph: Some(graph), ..GraphLabels::default() };
//! let spread = labels.propagate(&bought, &Selection::default(), None, Some(&x))?;
//! let classes: Vec<u32> = spread.iter().map(|label| label.class.0).collect();
//! assert_eq!(classes, [7, 7, 7, 2, 2, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
