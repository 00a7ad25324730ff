//! Groups of field samples: clusterers behind one trait, and measures of their quality.
//!
//! [`by_name`] builds a clusterer from its name. The project's own are k-means, HDBSCAN and the published hybrid of
//! both; DBSCAN, OPTICS, Gaussian mixtures and a second k-means come from linfa.
//!
//! ```
//! use hybridrepair_core::{Embeddings, Streams};
//! use hybridrepair_regions::{ClusterOptions, by_name, quality};
//! // two groups of three, and a sample far from both
//! let x = ndarray::array![[0.0f32], [0.1], [0.2], [5.0], [5.1], [5.2], [99.0]];
//! let options = ClusterOptions { min_cluster_size: 3, min_samples: 2, ..ClusterOptions::new(7, 2) };
//! let rng = &mut Streams::new(0).named("cluster");
//! let found = by_name("hdbscan", &options)?.cluster(&Embeddings::new(x.clone())?, rng)?;
//! let groups: Vec<Option<u32>> = found.regions.labels().iter().map(|label| label.map(|region| region.0)).collect();
//! assert_eq!(groups[6], None, "noise");
//! let classes = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(0), Some(1)];
//! assert_eq!(quality::purity(&groups, &classes)?, 5.0 / 6.0);
//! assert!(quality::nmi(&groups, &classes)? > 0.4 && quality::ari(&groups, &classes)? > 0.1);
//! assert!(quality::silhouette(&Embeddings::new(x)?, &groups, 100, rng)?.is_some_and(|width| width > 0.9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod centers;
mod clusterer;
mod condense;
mod dbscan;
mod error;
pub mod features;
mod foreign;
mod gmm;
mod hdbscan;
mod hybrid;
mod inspect;
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
pub use inspect::{Standouts, standouts};
pub use kmeans::KMeans;
pub use kmeans_linfa::KMeansLinfa;
pub use optics::Optics;
pub use registry::{ClusterOptions, by_name, names};
