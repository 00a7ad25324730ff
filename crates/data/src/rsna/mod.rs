//! The RSNA pneumonia challenge: chest X-rays as DICOM files and a table of findings.

mod dataset;
mod dicom;
mod table;

pub(crate) use dataset::RSNA;
pub use dicom::{Grey, read_dicom};
