use hybridrepair_data::DataError;
use hybridrepair_runs::RunsError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What can go wrong in the arena itself. What goes wrong in an entry is no error but an [`Outcome`](crate::Outcome).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArenaError {
    /// A name that nothing has.
    #[error("no {what} is called {given:?} (known: {known})")]
    Unknown {
        /// Kind of thing.
        what: &'static str,
        /// What was given.
        given: String,
        /// What there is.
        known: String,
    },
    /// A setting outside its range.
    #[error("{what} {given} {why}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A file that cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {why}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A target that the baseline does not reach reliably.
    #[error("{task}: the baseline misses the target {target:.4} with {missed} of {of} seeds")]
    Unreliable {
        /// The task.
        task: String,
        /// The target.
        target: f64,
        /// Seeds that missed it.
        missed: usize,
        /// Seeds tried.
        of: usize,
    },
    /// A process of an entry that cannot be started.
    #[error("cannot start {program:?}: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A model that cannot be made or read.
    #[error(transparent)]
    Model(Box<dyn std::error::Error + Send + Sync>),
    /// Data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Files of a run.
    #[error(transparent)]
    Runs(#[from] RunsError),
}

impl ArenaError {
    pub(crate) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }
}
