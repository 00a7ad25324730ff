use std::io::ErrorKind;
use std::path::PathBuf;
use thiserror::Error;

/// What can go wrong between an address and a folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// A file that would have to be fetched, and no request may be made.
    #[error("{} is not there, and nothing is fetched offline; it comes from {url}", path.display())]
    Offline {
        /// Where it is expected.
        path: PathBuf,
        /// Where it comes from.
        url: String,
    },
    /// An answer that trying again does not change, such as 404.
    #[error("{url}: the server answered {status}")]
    Status {
        /// The address asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// No connection, or one that broke too often. What came is kept in `NAME.part`.
    #[error("{url}: {why}{}{}", times(*tries), kept_bytes(*kept))]
    Network {
        /// The address asked.
        url: String,
        /// The last failure.
        why: String,
        /// Failures in a row.
        tries: u32,
        /// Bytes that the next try goes on from.
        kept: u64,
    },
    /// A page in place of the file: the login of a network, an error page, a form.
    #[error("{url}: what came is no data but a web page, beginning with {begin:?}")]
    Page {
        /// The address that answered, after redirects.
        url: String,
        /// The beginning of the page.
        begin: String,
    },
    /// A file of another size than the published one.
    #[error("{url}: {got} bytes, expected {expected}")]
    Length {
        /// The address asked.
        url: String,
        /// Bytes announced or received.
        got: u64,
        /// Bytes of the published file.
        expected: u64,
    },
    /// A file of another content than the published one.
    #[error("{}: {kind} {got}, expected {expected}", path.display())]
    Checksum {
        /// The file: as it was found, or what was received, kept under `NAME.wrong`.
        path: PathBuf,
        /// `sha256` or `md5`.
        kind: &'static str,
        /// The published checksum.
        expected: String,
        /// The checksum of the file.
        got: String,
    },
    /// No room. What came is kept in `NAME.part`.
    #[error("the disk is full: cannot write {}", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder that cannot be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An archive that is damaged, or holds what no data set needs.
    #[error("{}: {why}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Something else where the data should go. It is left as it is.
    #[error("{} is in the way: {why}", path.display())]
    InTheWay {
        /// What is there.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A name that is no published data set's.
    #[error("no published data set is called {name:?}; known are {known}")]
    Unknown {
        /// The name given.
        name: String,
        /// The known names, separated by commas.
        known: String,
    },
}

impl DownloadError {
    /// For `map_err` on file operations.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, source },
        }
    }
}

fn times(tries: u32) -> String {
    if tries > 1 { format!(", tried {tries} times") } else { String::new() }
}

fn kept_bytes(kept: u64) -> String {
    if kept > 0 { format!("; {kept} bytes are kept") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_troubles() {
        for (kind, full) in
            [(ErrorKind::StorageFull, true), (ErrorKind::QuotaExceeded, true), (ErrorKind::PermissionDenied, false)]
        {
            let error = DownloadError::io("x.part")(kind.into());
            assert_eq!(matches!(error, DownloadError::DiskFull { .. }), full, "{error}");
        }
    }
}
