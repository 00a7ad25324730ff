//! Pictures and splits.
//!
//! Everything here works on `uint8` RGB in memory ([`Images`]); a data set cut for repair is a [`Splits`] with its field
//! and holdout labels sealed.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod augmix;
mod batches;
mod bias;
mod cifar10;
mod cut;
mod dataset;
mod draw;
mod error;
pub mod folder;
mod images;
pub mod npy;
mod published;
mod registry;
mod sheet;
mod signs;
mod splits;
mod transform;
mod views;

pub use augmix::{AugMix, Op};
pub use batches::TrainBatches;
pub use bias::{BiasModel, biased_draw, read_indices};
pub use cifar10::read_cifar10;
pub use cut::Cut;
pub use dataset::{Dataset, DatasetSpec, Folder, LoadOptions, load};
pub use error::DataError;
pub use images::Images;
pub use published::{DrawSource, PublishedSplit};
pub use sheet::{Sheet, contact_sheet};
pub use signs::{SIGNS_VERSION, SignsSpec, signs};
pub use splits::{Field, Labelled, Normalization, Splits, Whole};
pub use transform::{Normalizer, TrainTransform};
pub use views::{ViewConfig, ViewMaker};
