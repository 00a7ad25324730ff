//! A file while it is fetched: `NAME.part`, locked by the process that writes it, and `NAME.part.tag`.

use super::checksum::Running;
use super::{DownloadError, Event, Options, Source};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) struct Part {
    file: File,
    path: PathBuf,
    /// Bytes in it.
    pub(super) len: u64,
    /// Bytes that this process added, thrown away ones included.
    pub(super) received: u64,
    /// Whether it holds the bytes of more than one answer.
    pub(super) patched: bool,
    sum: Running,
    /// What the server called this version of the file (`ETag` or `Last-Modified`); goes into `If-Range`.
    pub(super) tag: Option<String>,
}

/// `path` with `more` after its name.
pub(super) fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or(OsStr::new("download")).to_owned();
    name.push(more);
    path.with_file_name(name)
}

impl Part {
    /// Opens and locks what was left of `target`, or begins it; waits while another process has it. `None` when
    /// `target` is there in the end.
    pub(super) fn open(
        source: &Source<'_>,
        target: &Path,
        options: &Options<'_>,
    ) -> Result<Option<Self>, DownloadError> {
        let path = beside(target, ".part");
        loop {
            if target.exists() {
                return Ok(None);
            }
            let open = OpenOptions::new().read(true).append(true).create(true).open(&path);
            let mut file = open.map_err(DownloadError::io(&path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    (options.report)(Event::Waiting { path: target });
                    file.lock().map_err(DownloadError::io(&path))?;
                }
                Err(TryLockError::Error(e)) => return Err(DownloadError::io(&path)(e)),
            }
            // whoever had it may have finished: then this is another file by now, or has no name any more
            if !is_named(&file, &path) {
                continue;
            }
            let mut sum = source.checksum.begin();
            let len = sum.read(&mut file).map_err(DownloadError::io(&path))?;
            let tag = fs::read_to_string(beside(&path, ".tag")).ok().filter(|tag| !tag.is_empty());
            return Ok(Some(Self { file, path, len, received: 0, patched: len > 0, sum, tag }));
        }
    }

    /// Adds bytes at its end.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.file.write_all(bytes).map_err(DownloadError::io(&self.path))?;
        self.sum.update(bytes);
        self.len += bytes.len() as u64;
        self.received += bytes.len() as u64;
        Ok(())
    }

    /// Empties it.
    pub(super) fn restart(&mut self, source: &Source<'_>) -> Result<(), DownloadError> {
        self.forget_tag();
        self.file.set_len(0).map_err(DownloadError::io(&self.path))?;
        self.sum = source.checksum.begin();
        (self.len, self.patched) = (0, false);
        Ok(())
    }

    /// Notes which version of the file this is, for a later process.
    pub(super) fn note_tag(&mut self, tag: Option<String>) {
        self.forget_tag();
        if let Some(tag) = &tag {
            // without it the checksum still finds a file put together from two versions
            let _ = fs::write(beside(&self.path, ".tag"), tag);
        }
        self.tag = tag;
    }

    fn forget_tag(&mut self) {
        self.tag = None;
        let _ = fs::remove_file(beside(&self.path, ".tag"));
    }

    /// The digits of its checksum.
    pub(super) fn digits(&self) -> String {
        self.sum.digits()
    }

    /// Gives it the name `to`.
    pub(super) fn rename(mut self, to: &Path) -> Result<(), DownloadError> {
        self.file.sync_all().map_err(DownloadError::io(&self.path))?;
        fs::rename(&self.path, to).map_err(DownloadError::io(to))?;
        self.forget_tag();
        Ok(())
    }

    /// Removes it when there is nothing in it.
    pub(super) fn leave(mut self) {
        if self.len == 0 {
            self.forget_tag();
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
fn is_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_named(_: &File, path: &Path) -> bool {
    path.exists()
}
