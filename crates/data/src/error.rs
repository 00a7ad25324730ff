use crate::npy::NpyError;
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
    /// A data set that is not where it was looked for.
    #[error("no {name} in {}: {missing} not found; {help}", dir.display())]
    Missing {
        /// The data set.
        name: &'static str,
        /// The folder.
        dir: PathBuf,
        /// What is missing.
        missing: String,
        /// What is looked for, and where to get it.
        help: String,
    },
    /// A file of another size than it must have.
    #[error("{}: {bytes} bytes, expected {expected} ({what})", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The size it must have.
        expected: u64,
        /// What it should hold.
        what: String,
    },
    /// A label outside the data set's classes, in a file.
    #[error("{}: record {record} has label {label}, outside the {classes} classes", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// The record, counted from 0.
        record: usize,
        /// The label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// An index outside its pool, in a file.
    #[error("{}: entry {entry} is {index}, outside the pool of {len}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The entry, counted from 0.
        entry: usize,
        /// The index.
        index: i64,
        /// Size of the pool.
        len: usize,
    },
    /// An index that stands twice in a file.
    #[error("{}: entry {entry} repeats index {index}", path.display())]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The second entry with this index, counted from 0.
        entry: usize,
        /// The index.
        index: i64,
    },
    /// A damaged or unsuitable `.npy` file.
    #[error("{}: {source}", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: NpyError,
    },
    /// A data set that needs a folder, without one.
    #[error("dataset {name} is read from files: pass --data-dir DIR, {help}")]
    NoDataDir {
        /// The data set.
        name: &'static str,
        /// What the folder must hold.
        help: String,
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
