use hybridrepair_core::CoreError;
use std::{
    io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// What can go wrong with a run directory, its files and the stage cache.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunsError {
    /// The disk, or the quota on it, is full.
    #[error("disk full while writing {}", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// Any other failure of the file system.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `read`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// An output folder that holds something.
    #[error("output folder is not empty: {}", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A folder that was to be overwritten and holds something else than a run.
    #[error("refused to overwrite a folder that is no run: {}", path.display())]
    NotOverwritten {
        /// The folder.
        path: PathBuf,
    },
    /// A folder without the files of a run.
    #[error("no run here ({missing} is missing): {}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The file that every run has.
        missing: &'static str,
    },
    /// Another process writes this run.
    #[error("run is being written by process {}: {}", holder.as_deref().unwrap_or("(unknown)"), path.display())]
    Locked {
        /// The run directory.
        path: PathBuf,
        /// The number of that process, when it could be read.
        holder: Option<String>,
    },
    /// A file that is no JSON of the expected shape.
    #[error("line {line}: {source}: {}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file that a later or unknown release wrote.
    #[error("format version {found} is not {supported}: {}", path.display())]
    FormatVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that this release reads.
        supported: u32,
    },
    /// A configuration that does not fit.
    #[error("{message}: {}", path.display())]
    Config {
        /// The file, or where else the text came from.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// A table of which a row does not fit.
    #[error("{why}: {}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with the place.
        why: String,
    },
    /// A number that must not be written.
    #[error("{what} is {value}")]
    BadNumber {
        /// The field.
        what: String,
        /// Its value.
        value: f64,
    },
    /// A stored label that does not belong to the pool at hand.
    #[error("row {row} is sample {expected} of the pool, not {found}: {}", path.display())]
    OtherPool {
        /// The file.
        path: PathBuf,
        /// The row.
        row: u32,
        /// The sample that the pool has there.
        expected: String,
        /// The sample that the file names.
        found: u64,
    },
    /// Runs that cannot stand in one table.
    #[error("runs cannot be compared: {0}")]
    NotComparable(String),
    /// A value of the domain that is wrong.
    #[error(transparent)]
    Core(#[from] CoreError),
}

impl RunsError {
    /// Wraps a failed operation on a file; a full disk gets its own variant.
    pub fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path: path.to_owned() },
            _ => Self::Io { doing, path: path.to_owned(), source },
        }
    }

    /// What a person can do about it, where there is something.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::DiskFull { .. } => {
                "free some space; what was complete before is kept, `resume` goes on from there".into()
            }
            Self::NotEmpty { .. } => "give another --output-dir, or --overwrite to replace the run in it".into(),
            Self::NotOverwritten { .. } => "give another --output-dir: --overwrite replaces runs only".into(),
            Self::NotARun { .. } => "give the folder that holds config.toml".into(),
            Self::Locked { .. } => "wait for it or stop it; the lock ends with the process".into(),
            Self::FormatVersion { .. } => "use the release of hybridrepair that wrote it".into(),
            Self::OtherPool { .. } => "the data has changed since the run: start a new run".into(),
            Self::Config { help, .. } => return help.clone(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_its_own_words() {
        let error = RunsError::io("write", Path::new("a/b"), io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.to_string(), "disk full while writing a/b");
        assert!(error.help().is_some());
        let error = RunsError::io("read", Path::new("a"), io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(error.to_string(), "cannot read a: entity not found");
    }
}
