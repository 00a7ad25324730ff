use hybridrepair_core::CoreError;
use thiserror::Error;

/// What can be wrong with the input of a kernel.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KernelError {
    /// Rows or columns are missing, or a value is not finite.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// Two point sets of different dimension.
    #[error("{what} have {got} columns, expected {expected}")]
    Dimension {
        /// Which points.
        what: &'static str,
        /// Their columns.
        got: usize,
        /// The columns of the others.
        expected: usize,
    },
    /// A count that the data cannot satisfy.
    #[error("{what} is {given}, expected {expected}")]
    Count {
        /// The parameter.
        what: &'static str,
        /// Its value.
        given: usize,
        /// What it should be.
        expected: String,
    },
    /// More rows than a 32-bit index can name.
    #[error("{0} rows are more than 2^32 - 1")]
    TooManyRows(usize),
    /// A file that cannot be opened or mapped.
    #[error("cannot map {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A file that is no `.npy` array of the accepted kind.
    #[error("{path} {why}")]
    Npy {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}
