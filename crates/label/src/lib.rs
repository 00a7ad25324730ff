//! Where labels come from.
//!
//! An [`Annotator`] answers a [`Selection`](hybridrepair_core::Selection) and notes every label that it gives in the
//! [`Ledger`](hybridrepair_core::Ledger), which refuses one more than was budgeted. [`Oracle`] reads the sealed labels of
//! a public data set, [`NoisyOracle`] does so with errors, and [`Table`] reads what people wrote into a CSV or JSONL file.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod annotator;
mod error;
mod noisy;
mod oracle;
mod table;

pub use annotator::{Annotator, Answer};
pub use error::LabelError;
pub use noisy::NoisyOracle;
pub use oracle::Oracle;
pub use table::{Format, Row, Table, read_table, write_table};
