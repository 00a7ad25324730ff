//! Groups of field samples: clusterers behind one trait, and measures of their quality.
//!
//! [`by_name`] builds a clusterer from its name. The project's own are k-means, HDBSCAN and the published hybrid of
//! both; DBSCAN, OPTICS, Gaussian mixtures and a second k-means come from linfa.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod centers;
mod clusterer;
mod condense;
mod dbscan;
mod error;
mod foreign;
mod gmm;
mod hdbscan;
mod hybrid;
mod kmeans;
mod kmeans_linfa;
mod optics;
pub mod quality;
mod registry;

pub use centers::{Center, medoids};
pub use clusterer::{Clusterer, Clustering};
pub use condense::Ties;
pub use dbscan::Dbscan;
pub use error::RegionError;
pub use gmm::Gmm;
pub use hdbscan::Hdbscan;
pub use hybrid::Hybrid;
pub use kmeans::KMeans;
pub use kmeans_linfa::KMeansLinfa;
pub use optics::Optics;
pub use registry::{ClusterOptions, by_name, names};
