use std::{fmt, path::PathBuf};
use thiserror::Error;

/// Why a file is not used as a picture.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// The operating system refuses.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// A device, a socket, a pipe: never opened.
    #[error("is no regular file")]
    NotAFile,
    /// A link to a folder that it lies in.
    #[error("is a link to a folder above it")]
    Loop,
    /// A picture beside the class folders.
    #[error("lies in no class folder")]
    NoClass,
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// A file too large to be one picture.
    #[error("has {bytes} bytes, above the limit of {limit}")]
    Bytes {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Contents of no format that is read here.
    #[error("is no picture in a format that is read here ({known}): it begins with {begins}")]
    Format {
        /// Its first bytes.
        begins: String,
        /// What is read.
        known: &'static str,
    },
    /// More pixels than one picture may have, by its own header.
    #[error("says that it has {width} x {height} pixels, above the limit of {limit}")]
    Pixels {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The limit on their product.
        limit: u64,
    },
    /// A file that ends too early.
    #[error("is cut short: {0}")]
    CutShort(String),
    /// Damaged, or a variety of its format that is not read.
    #[error("does not decode: {0}")]
    Damaged(String),
}

/// A file that was passed over, and why.
#[derive(Debug)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: SkipReason,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.why)
    }
}
