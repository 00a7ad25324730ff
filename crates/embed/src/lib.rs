//! Feature extractors: where the embeddings that selection and propagation stand on come from.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod extractor;

pub use error::EmbedError;
pub use extractor::Extractor;
