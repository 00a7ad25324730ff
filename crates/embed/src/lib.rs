//! Feature extractors: where the embeddings that selection and propagation stand on come from.
//!
//! [`Extractor`] is what the command line names; [`open`] turns a file into an [`Opened`] network, whoever made it; and
//! [`pretrain`] makes one from pictures without labels.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod extractor;
mod file;
mod moco_file;
mod open;
pub mod pretrain;

pub use error::EmbedError;
pub use extractor::{Extractor, read_embeddings};
pub use file::{ExtractorMeta, save_extractor};
pub use open::{Given, Opened, open};
