use crate::Strategy;
use hybridrepair_core::{CoreError, Need};
use hybridrepair_kernels::KernelError;
use thiserror::Error;

/// Why nothing could be selected.
#[derive(Debug, Error, Clone, PartialEq)]
#[non_exhaustive]
pub enum SelectError {
    /// A kind of evidence that the strategy looks at is not there.
    #[error("strategy {strategy} needs {need} (pass {})", need.flag())]
    Needs {
        /// The strategy.
        strategy: String,
        /// What it lacks.
        need: Need,
    },
    /// The source is there, but not the part of it that the strategy looks at.
    #[error("strategy {strategy} needs the {part} of the source data")]
    SourcePart {
        /// The strategy.
        strategy: String,
        /// `embeddings`, `features` or `labels`.
        part: &'static str,
    },
    /// A name outside the registry.
    #[error("unknown strategy {given:?}; known are {known}")]
    Unknown {
        /// What was given.
        given: String,
        /// The registry, separated by commas.
        known: String,
    },
    /// A parameter of a strategy outside its range.
    #[error("strategy {strategy}: {parameter} = {value} {why}")]
    Parameter {
        /// The strategy.
        strategy: String,
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A ranker whose evidence is not there although it declares no need.
    #[error("strategy {strategy} looks at evidence that it does not declare")]
    Undeclared {
        /// The strategy.
        strategy: String,
    },
    /// More memory or time than is allowed.
    #[error("strategy {strategy} would take about {needs}, more than {limit}")]
    TooMuch {
        /// The strategy.
        strategy: String,
        /// The estimate, with its unit.
        needs: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// Two arrays that should have the same number of columns.
    #[error("{what} have {got} columns, expected {expected}")]
    Columns {
        /// The array.
        what: &'static str,
        /// Its columns.
        got: usize,
        /// The columns of the pool's.
        expected: usize,
    },
    /// Evidence that does not fit the pool, or is no valid data.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A computation that cannot be done on these numbers.
    #[error("{0}")]
    Kernel(String),
}

impl SelectError {
    /// A parameter of a strategy outside its range.
    pub(crate) fn parameter(
        strategy: &dyn Strategy,
        parameter: &'static str,
        value: impl Into<f64>,
        why: &'static str,
    ) -> Self {
        Self::Parameter { strategy: strategy.name().to_owned(), parameter, value: value.into(), why }
    }
}

impl From<KernelError> for SelectError {
    fn from(error: KernelError) -> Self {
        match error {
            KernelError::Core(error) => Self::Core(error),
            other => Self::Kernel(other.to_string()),
        }
    }
}
