//! Files that are whole or not there, and JSON lines that survive a crash but for the last one.

use crate::RunsError;
use serde::Serialize;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Writes a file in one piece: to a temporary name in the same folder, to the disk, then under its name. Whoever reads
/// sees the old content or the new, never a part.
///
/// # Errors
/// [`RunsError::DiskFull`] or [`RunsError::Io`]; the old content stays and no temporary file is left.
pub fn write_atomic(path: &Path, content: &[u8]) -> Result<(), RunsError> {
    write_atomic_with(path, |out| out.write_all(content))
}

/// As [`write_atomic`], for content that is produced on the way.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_atomic_with(path: &Path, produce: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), RunsError> {
    let fail = |source| RunsError::io("write", path, source);
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".tmp");
    // temporary files are made for their owner alone; a result is for whomever the umask lets in
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(folder).map_err(fail)?;
    let mut out = BufWriter::new(file);
    produce(&mut out).map_err(fail)?;
    let file = out.into_inner().map_err(|e| fail(e.into_error()))?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    sync_folder(folder).map_err(fail)
}

/// Writes a value as indented JSON with a newline at the end, in one piece.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<(), RunsError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| RunsError::io("write", path, e.into()))?;
    text.push(b'\n');
    write_atomic(path, &text)
}

/// Makes a rename last through a power cut. Some file systems refuse to open or sync folders: then it is up to them.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|f| f.sync_all()) {
        Err(e) if e.kind() == io::ErrorKind::StorageFull => Err(e),
        _ => Ok(()),
    }
}

/// A file of one JSON value per line, written at its end.
#[derive(Debug)]
pub struct JsonLines {
    file: File,
    path: PathBuf,
}

impl JsonLines {
    /// Opens a file to write at its end, and makes it when it is missing. A last line that a crash cut short is removed.
    ///
    /// # Errors
    /// When the file cannot be opened for writing.
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        let fail = |source| RunsError::io("write", path, source);
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(fail)?;
        if file.metadata().map_err(fail)?.is_file() {
            mend(&mut file).map_err(fail)?;
        }
        Ok(Self { file, path: path.to_owned() })
    }

    /// Writes one line and hands it to the operating system: it outlives this process.
    ///
    /// # Errors
    /// [`RunsError::DiskFull`] or [`RunsError::Io`].
    pub fn append<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), RunsError> {
        let fail = |source| RunsError::io("write", &self.path, source);
        let mut line = serde_json::to_vec(value).map_err(|e| fail(e.into()))?;
        line.push(b'\n');
        // one write for the whole line, so that a reader meets whole lines only
        self.file.write_all(&line).map_err(fail)
    }

    /// Waits until all lines are on the disk.
    ///
    /// # Errors
    /// [`RunsError::DiskFull`] or [`RunsError::Io`].
    pub fn sync(&self) -> Result<(), RunsError> {
        self.file.sync_data().map_err(|source| RunsError::io("write", &self.path, source))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Ends the file with a newline: cuts off a torn last line, completes one that lacks only its newline.
fn mend(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut tail = Vec::new();
    let mut start = length;
    while start > 0 && !tail.contains(&b'\n') {
        let step = start.min(64 * 1024);
        start -= step;
        let mut block = vec![0; step as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block)?;
        block.extend_from_slice(&tail);
        tail = block;
    }
    let cut = tail.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    let last = &tail[cut..];
    if last.is_empty() {
        Ok(())
    } else if serde_json::from_slice::<serde::de::IgnoredAny>(last).is_ok() {
        file.write_all(b"\n")
    } else {
        file.set_len(start + cut as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary.json");
        write_atomic(&path, b"old").unwrap();
        let error = write_atomic_with(&path, |out| {
            out.write_all(b"half of the ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(matches!(error, Err(RunsError::DiskFull { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        write_json(&path, &[1, 2]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[\n  1,\n  2\n]\n");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_atomic(Path::new("/nonexistent/folder/a.json"), b"").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/folder/a.json"), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn lines_to_a_full_disk_fail_with_its_name() {
        let error = JsonLines::open(Path::new("/dev/full")).unwrap().append(&1).unwrap_err();
        assert!(matches!(error, RunsError::DiskFull { .. }), "{error}");
        assert!(error.to_string().contains("/dev/full"));
    }

    #[test]
    fn a_torn_last_line_is_cut_and_a_whole_one_is_completed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        for (before, after) in [
            ("", "3\n"),
            ("1\n2\n", "1\n2\n3\n"),
            ("1\n{\"stage\": \"fin", "1\n3\n"),
            ("{\"a\":", "3\n"),
            ("1\n2", "1\n2\n3\n"),
        ] {
            fs::write(&path, before).unwrap();
            JsonLines::open(&path).unwrap().append(&3).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), after, "after {before:?}");
        }
        // a torn line longer than one block
        fs::write(&path, format!("1\n\"{}", "x".repeat(200_000))).unwrap();
        JsonLines::open(&path).unwrap().append(&3).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n3\n");
    }
}
