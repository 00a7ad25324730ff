use hybridrepair_core::CoreError;
use std::path::PathBuf;
use thiserror::Error;

/// Why labels could not be given, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabelError {
    /// The budget is spent, or a pick lies outside the pool.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A file that cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A label file that lacks a column.
    #[error("{}: line {line}: no column {column:?} among {found}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The line of the header, counted from 1.
        line: u64,
        /// What it lacks.
        column: &'static str,
        /// What it has.
        found: String,
    },
    /// A line of a label file that cannot be understood.
    #[error("{}: line {line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it, with the offending value.
        why: String,
    },
    /// A file of a label tool that cannot be understood.
    #[error("{}: {why}", path.display())]
    Tool {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with the place and the offending value.
        why: String,
    },
    /// Answers that name no class.
    #[error("{}: {count} answers name no class; first at {first}; classes are {known}", path.display())]
    Classes {
        /// The file.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The first of them, with its place.
        first: String,
        /// The classes.
        known: String,
    },
    /// A file whose name has another ending.
    #[error("{}: answers are read from .csv, .tsv, .jsonl, .json, .xml and .zip files", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// A chance of a wrong answer outside [0, 1], or one that no class is left for.
    #[error("error rate {rate} with {classes} classes is impossible")]
    ErrorRate {
        /// The rate.
        rate: f64,
        /// Number of classes.
        classes: usize,
    },
}
