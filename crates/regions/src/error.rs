use hybridrepair_core::CoreError;
use hybridrepair_kernels::KernelError;
use thiserror::Error;

/// Why there are no regions.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegionError {
    /// Rows that do not make regions.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// Data or counts that a kernel refuses.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A parameter outside its range.
    #[error("{what} is {given}, expected {expected}")]
    Parameter {
        /// The parameter.
        what: &'static str,
        /// Its value.
        given: f64,
        /// What it should be.
        expected: String,
    },
    /// A name that no clusterer has.
    #[error("no clusterer is called {given:?} (there are {known})")]
    Unknown {
        /// The name.
        given: String,
        /// The names there are.
        known: String,
    },
    /// A clustering by linfa that failed.
    #[error("{name} failed: {why}")]
    Foreign {
        /// The clusterer.
        name: &'static str,
        /// What it says.
        why: String,
    },
    /// Two labellings of different length.
    #[error("one labelling has {left} samples, the other {right}")]
    Lengths {
        /// Samples of the first.
        left: usize,
        /// Samples of the second.
        right: usize,
    },
}
