//! Pictures and splits.
//!
//! Everything here works on `uint8` RGB in memory ([`Images`]); a data set cut for repair is a [`Splits`] with its field
//! and holdout labels sealed.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arrays;
mod augmix;
mod batches;
mod bias;
mod bytes;
mod cifar10;
mod cifar100;
mod columns;
mod corrupt;
mod cut;
mod dataset;
pub mod download;
mod draw;
mod error;
pub mod folder;
mod idx;
mod images;
mod mat;
mod mnist;
pub mod npy;
mod published;
mod randaugment;
mod records;
mod registry;
mod rsna;
mod sheet;
mod signs;
mod splits;
mod stl10;
mod svhn;
mod transform;
mod views;

pub use augmix::{AugMix, Op};
pub use batches::TrainBatches;
pub use bias::{BiasModel, biased_draw, read_indices};
pub use cifar10::read_cifar10;
pub use cifar100::read_cifar100;
pub use corrupt::{Corrupt, Corruption};
pub use cut::Cut;
pub use dataset::{Dataset, DatasetSpec, Folder, LoadOptions, load};
pub use error::DataError;
pub use images::Images;
pub use mnist::read_mnist_part;
pub use published::{DrawSource, PublishedSplit};
pub use randaugment::RandAugment;
pub use rsna::{Grey, read_dicom};
pub use sheet::{Sheet, contact_sheet, jpeg, png, thumbnail_sheet};
pub use signs::{SIGNS_VERSION, SignsSpec, signs};
pub use splits::{Field, Labelled, Normalization, Splits, Whole};
pub use stl10::{read_stl10, read_stl10_part};
pub use svhn::{read_svhn, read_svhn_part};
pub use transform::{Normalizer, TrainTransform};
pub use views::{ViewConfig, ViewMaker};
