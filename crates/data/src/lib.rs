//! Pictures and splits.
//!
//! Everything here works on `uint8` RGB in memory ([`Images`]); a data set cut for repair is a [`Splits`] with its field
//! and holdout labels sealed.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod augmix;
mod batches;
mod draw;
mod error;
mod images;
pub mod npy;
mod signs;
mod splits;
mod transform;
mod views;

pub use augmix::{AugMix, Op};
pub use batches::TrainBatches;
pub use error::DataError;
pub use images::Images;
pub use signs::{SIGNS_VERSION, SignsSpec, signs};
pub use splits::{Field, Labelled, Normalization, Splits};
pub use transform::{Normalizer, TrainTransform};
pub use views::{ViewConfig, ViewMaker};
