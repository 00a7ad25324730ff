//! Where labels come from.
//!
//! An [`Annotator`] answers a [`Selection`](hybridrepair_core::Selection) and notes every label that it gives in the
//! [`Ledger`](hybridrepair_core::Ledger), which refuses one more than was budgeted. [`Oracle`] reads the sealed labels of
//! a public data set.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod annotator;
mod error;
mod oracle;

pub use annotator::{Annotator, Answer};
pub use error::LabelError;
pub use oracle::Oracle;
