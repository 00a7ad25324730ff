use hybridrepair_core::ClassId;
use std::path::PathBuf;
use thiserror::Error;

/// What can go wrong with pictures and splits.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder cannot be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what its name says, or is cut short.
    #[error("{}: {why}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Bytes that are not a whole number of pictures.
    #[error("{bytes} bytes are no whole number of {height} x {width} RGB pictures")]
    Shape {
        /// Bytes given.
        bytes: usize,
        /// Rows of a picture.
        height: usize,
        /// Columns of a picture.
        width: usize,
    },
    /// Two lists that should be equally long.
    #[error("{what}: {got} labels or ids for {expected} pictures")]
    Rows {
        /// The split.
        what: &'static str,
        /// Labels or ids.
        got: usize,
        /// Pictures.
        expected: usize,
    },
    /// A class outside the data set's.
    #[error("{what}: class {class} is outside the {classes} classes")]
    Class {
        /// The split.
        what: &'static str,
        /// The class.
        class: ClassId,
        /// Number of classes.
        classes: usize,
    },
    /// A name that is none of the known ones.
    #[error("unknown {what} {given:?}; known are {known}")]
    Unknown {
        /// Kind of thing.
        what: &'static str,
        /// What was given.
        given: String,
        /// The known names.
        known: String,
    },
    /// A value outside its range.
    #[error("{what} {given} {why}")]
    Value {
        /// The setting.
        what: &'static str,
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl DataError {
    /// For `map_err` on file operations.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
