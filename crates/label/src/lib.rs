//! Where labels come from.
//!
//! An [`Annotator`] answers a [`Selection`](hybridrepair_core::Selection) by what stands in the
//! [`Ledger`](hybridrepair_core::Ledger): [`Oracle`] and [`NoisyOracle`] buy sealed labels of a public data set there,
//! [`People`] have answered or not. Answers of people come in files ([`read_answers`]: CSV, JSONL, Label Studio, CVAT),
//! are compared with what was asked ([`Asked`], [`take`]), and noted as new lines; [`verdicts`] says what several answers
//! come to. [`Board`] hands out the
//! questions to several people at once. [`export`] writes the questions in the forms that the same tools read.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod annotator;
mod asked;
mod board;
mod context;
mod error;
pub mod export;
mod files;
mod noisy;
mod oracle;
mod take;
mod verdict;

pub use annotator::{Annotator, Answer, People};
pub use asked::{Asked, AskedImage};
pub use board::{Board, NotTaken, Progress, Seat};
pub use context::{Context, Surroundings};
pub use error::LabelError;
pub use files::{Answers, Format, Row, Sample, Source, read_answers, read_table, write_table};
pub use noisy::NoisyOracle;
pub use oracle::Oracle;
pub use take::{CANNOT_TELL_NAME, Taken, take};
pub use verdict::{Verdict, last_answers, verdicts};
