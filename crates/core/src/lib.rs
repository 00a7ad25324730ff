//! The words of hybridrepair.
//!
//! Every other crate speaks in these types: a [`Pool`] of unlabelled field samples, the [`Evidence`] that a selection
//! strategy may look at, a [`Selection`] of picks under a [`Budget`], labels with their [`Provenance`], the [`Ledger`]
//! through which alone a sealed label is read, [`Regions`], and the named random [`Streams`] that make a run
//! repeatable. The crate does no input or output and knows no tensor library.
//!
//! Data are `f32`, sums are `f64`, and indices are types: a [`SampleId`] names a sample of a data set, a [`PoolIdx`] a
//! row of one pool; only [`Pool`] converts between them.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod budget;
mod calibration;
mod embeddings;
mod error;
mod evidence;
pub mod forecast;
mod graph;
mod ids;
pub mod intervals;
mod labels;
mod ledger;
pub mod metrics;
mod pool;
pub mod prior;
mod probs;
mod regions;
mod repair_set;
mod seed;
mod selection;
mod views;

pub use budget::Budget;
pub use calibration::{calibrated, temperature};
pub use embeddings::{Embeddings, SharedRows};
pub use error::CoreError;
pub use evidence::{Evidence, Need, Needs, Source};
pub use graph::KnnGraph;
pub use ids::{ClassId, PoolIdx, RegionId, SampleId};
pub use labels::{Label, LabelSet, Provenance};
pub use ledger::{Entry, Ledger, Purpose, Reply, SealedLabels};
pub use pool::Pool;
pub use probs::Probs;
pub use regions::{Region, Regions};
pub use repair_set::{RepairSet, Target};
pub use seed::{Stream, Streams};
pub use selection::{Pick, Selection};
pub use views::Views;
