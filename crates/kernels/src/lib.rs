//! Blocked distances, exact nearest neighbours, k-means, minimum spanning trees and memory-mapped arrays.
//!
//! One kernel carries most of this crate: it multiplies 12 packed rows with 32 packed lanes and keeps the result in
//! registers (`AVX-512` or `AVX2` when the processor has them, plain Rust elsewhere). A `Sweep` walks it over all rows
//! for each panel of 32 lanes and hands each tile to a visitor (nearest row, the k smallest, all below a bound), so that
//! no matrix of distances ever exists. A panel is the unit of work: results are bit-equal for any number of threads.
//!
//! Distances computed as `|x|^2 - 2xy + |y|^2` lose digits by cancellation. Data are therefore centred and scaled first,
//! and where a decision depends on the lost digits (ties, duplicates, the last neighbour) it is taken again in `f64`.

#![allow(unsafe_code)] // vector instructions and memory maps; each use says why it is sound
#![expect(clippy::inline_always, reason = "loops over lanes must be compiled with the instructions of their caller")]
#![expect(clippy::needless_range_loop, reason = "indexed loops over fixed lanes are the ones that become vectors")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod below;
mod distance;
mod dot;
mod error;
mod frame;
mod kept;
mod kmeans;
mod knn;
mod likeness;
mod lloyd;
mod mmap;
mod mst;
mod npy;
mod outside;
mod pack;
mod pairs;
mod plane;
mod points;
mod seeding;
mod similarity;
mod sweep;
mod tile;
mod topk;
mod units;

pub use distance::{Nearest, nearest, squared_distances, squared_distances_to};
pub use dot::{dot, inverse_length, squared_distance};
pub use error::KernelError;
pub use kmeans::{KMeans, KMeansParams, kmeans, weighted_kmeans};
pub use knn::{Neighbors, knn_graph, mean_k_smallest_cosine_distance, neighbors, top_k};
pub use likeness::Likeness;
pub use mmap::{map_embeddings, map_npy};
pub use mst::{Edge, mutual_reachability_path, mutual_reachability_tree};
pub use plane::principal_plane;
pub use points::Points;
pub use seeding::{Seeding, seed_centers};
pub use similarity::{Change, Similarity};
pub use units::Units;
