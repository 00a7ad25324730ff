use hybridrepair_core::CoreError;
use thiserror::Error;

/// What can be wrong with a `.npy` file.
#[derive(Debug, Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum NpyError {
    /// The file does not begin as a `.npy` file does.
    #[error("no .npy file: it does not begin with \\x93NUMPY")]
    Magic,
    /// A format version that this reader does not know.
    #[error("unknown .npy version {major}.{minor}")]
    Version {
        /// Major version.
        major: u8,
        /// Minor version.
        minor: u8,
    },
    /// A header that cannot be true.
    #[error("damaged header: {0}")]
    Header(String),
    /// An element type other than the expected ones.
    #[error("holds {found:?} elements, expected {expected}")]
    Dtype {
        /// The type, as numpy writes it.
        found: String,
        /// What is accepted, in words, with how to convert.
        expected: &'static str,
    },
    /// Another number of dimensions.
    #[error("has shape {shape:?}, expected {expected} dimension(s)")]
    Dims {
        /// The array's shape.
        shape: Vec<usize>,
        /// The expected number of dimensions.
        expected: usize,
    },
    /// Fewer bytes than the header says.
    #[error("truncated: {bytes} bytes, its header promises {expected}")]
    Truncated {
        /// Bytes of the file.
        bytes: u64,
        /// Bytes it should have.
        expected: u64,
    },
    /// More bytes than the header says.
    #[error("{extra} bytes follow the array")]
    Trailing {
        /// Bytes too many.
        extra: u64,
    },
    /// NaN or infinity.
    #[error(transparent)]
    NotFinite(#[from] CoreError),
}
