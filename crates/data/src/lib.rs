//! Pictures and splits.
//!
//! Everything here works on `uint8` RGB in memory ([`Images`]); a data set cut for repair is a [`Splits`] with its field
//! and holdout labels sealed.

mod error;
mod images;
mod splits;

pub use error::DataError;
pub use images::Images;
pub use splits::{Field, Labelled, Normalization, Splits};
