//! Data set `manifest`: a list of files with labels and splits.

mod csv;
mod dataset;
mod jsonl;
mod row;

pub(crate) use dataset::MANIFEST;
pub use dataset::read_manifest;
