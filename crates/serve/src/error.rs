use std::path::PathBuf;
use thiserror::Error;

/// Why the label page cannot be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port that was asked for; 0 is any.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The system gives no random bytes.
    #[error("no random bytes for the address: {0}")]
    Random(String),
    /// The file with the address of the page.
    #[error("cannot write {}: {source}", path.display())]
    Address {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The run's files.
    #[error(transparent)]
    Runs(#[from] hybridrepair_runs::RunsError),
}
