use crate::{Layout, RunLock, RunsError, layout};
use jiff::Zoned;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A run directory that this process writes. Derefs to nothing: ask [`RunDir::layout`] for its files.
#[derive(Debug)]
pub struct RunDir {
    layout: Layout,
    _lock: RunLock,
}

impl RunDir {
    /// Makes the folder of a new run, and locks it.
    ///
    /// A folder that holds anything is refused; with `overwrite`, a run in it is removed first (its files, nothing
    /// else), and any other content is refused still.
    ///
    /// # Errors
    /// [`RunsError::NotEmpty`], [`RunsError::NotOverwritten`], [`RunsError::Locked`], or a failure of the file system.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self, RunsError> {
        fs::create_dir_all(path).map_err(|source| RunsError::io("create", path, source))?;
        let layout = Layout::new(path);
        if holds_something(path)? {
            if !overwrite {
                return Err(RunsError::NotEmpty { path: path.to_owned() });
            }
            if !is_run(&layout)? {
                return Err(RunsError::NotOverwritten { path: path.to_owned() });
            }
        }
        let lock = RunLock::acquire(&layout)?;
        // again, with the lock: another run may have come first
        if layout.config().exists() && !overwrite {
            return Err(RunsError::NotEmpty { path: path.to_owned() });
        }
        clear(&layout)?;
        fs::create_dir(layout.checkpoints()).map_err(|source| RunsError::io("create", path, source))?;
        Ok(Self { layout, _lock: lock })
    }

    /// Makes `PARENT/<time>-<name>` and locks it; a number is added when that exists.
    ///
    /// # Errors
    /// As [`RunDir::create`].
    pub fn create_in(parent: &Path, name: &str) -> Result<Self, RunsError> {
        Self::create(&new_folder(parent, name)?, false)
    }

    /// Opens a run to go on with it, and locks it.
    ///
    /// # Errors
    /// [`RunsError::NotARun`] or [`RunsError::Locked`].
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        let layout = Layout::new(path);
        if !layout.config().is_file() {
            return Err(RunsError::NotARun { path: path.to_owned(), missing: layout::CONFIG });
        }
        let lock = RunLock::acquire(&layout)?;
        Ok(Self { layout, _lock: lock })
    }

    /// Where its files are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.layout.root()
    }
}

/// Makes the empty folder `PARENT/<time>-<name>`; a number is added when that exists.
///
/// # Errors
/// When a folder cannot be made.
pub fn new_folder(parent: &Path, name: &str) -> Result<PathBuf, RunsError> {
    let stem = default_name(name, &Zoned::now());
    fs::create_dir_all(parent).map_err(|source| RunsError::io("create", parent, source))?;
    for again in 1.. {
        let path = parent.join(if again == 1 { stem.clone() } else { format!("{stem}-{again}") });
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(RunsError::io("create", &path, source)),
        }
    }
    unreachable!("some number is free")
}

/// `<yyyymmdd>-<hhmmss>-<name>`, in local time, the name reduced to characters that every file system takes.
fn default_name(name: &str, now: &Zoned) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    format!("{}-{name}", now.strftime("%Y%m%d-%H%M%S"))
}

/// Whether a folder holds a run, or the beginning of one that was killed before it could write its configuration.
fn is_run(layout: &Layout) -> Result<bool, RunsError> {
    if layout.config().is_file() {
        return Ok(true);
    }
    let fail = |source| RunsError::io("read", layout.root(), source);
    for entry in fs::read_dir(layout.root()).map_err(fail)? {
        if !Layout::NAMES.iter().any(|name| entry.as_ref().is_ok_and(|e| e.file_name() == *name)) {
            return Ok(false);
        }
    }
    Ok(layout.lock().is_file())
}

fn holds_something(path: &Path) -> Result<bool, RunsError> {
    let fail = |source| RunsError::io("read", path, source);
    for entry in fs::read_dir(path).map_err(fail)? {
        // a lock file alone is what is left of a run that ended before it began
        if entry.map_err(fail)?.file_name() != layout::LOCK {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes the files of a run. `config.toml` goes last: as long as anything is left, the folder is still known as a run.
fn clear(layout: &Layout) -> Result<(), RunsError> {
    let keep_for_last = |name: &&&str| **name != layout::LOCK && **name != layout::CONFIG;
    let paths = Layout::NAMES.iter().filter(keep_for_last).map(|name| layout.root().join(name));
    for path in paths.chain([layout.config()]) {
        remove(&path).map_err(|source| RunsError::io("remove", &path, source))?;
    }
    Ok(())
}

fn remove(path: &PathBuf) -> io::Result<()> {
    // a link is removed, not followed
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_anything_in_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        drop(RunDir::create(&path, false).unwrap());
        // an empty run without config.toml: it holds the folder for checkpoints
        assert!(matches!(RunDir::create(&path, false), Err(RunsError::NotEmpty { .. })));
        drop(RunDir::create(&path, true).unwrap());
        fs::write(dir.path().join("thesis.tex"), "years").unwrap();
        assert!(matches!(RunDir::create(dir.path(), false), Err(RunsError::NotEmpty { .. })));
        assert!(matches!(RunDir::create(dir.path(), true), Err(RunsError::NotOverwritten { .. })));
        assert!(dir.path().join("thesis.tex").exists());
    }

    #[test]
    fn overwriting_removes_the_run_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::create(dir.path(), false).unwrap();
        fs::write(run.layout().config(), "").unwrap();
        fs::write(run.layout().summary(), "{}").unwrap();
        fs::write(run.layout().checkpoint("best"), "").unwrap();
        fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        assert!(matches!(RunDir::create(dir.path(), true), Err(RunsError::Locked { .. })), "while it is being written");
        drop(run);
        let run = RunDir::create(dir.path(), true).unwrap();
        assert!(!run.layout().summary().exists() && !run.layout().checkpoint("best").exists());
        assert!(dir.path().join("notes.txt").exists());
    }

    #[test]
    fn a_run_is_opened_again_and_another_folder_is_not() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(RunDir::open(dir.path()), Err(RunsError::NotARun { .. })));
        assert!(matches!(RunDir::open(&dir.path().join("missing")), Err(RunsError::NotARun { .. })));
        fs::write(dir.path().join(layout::CONFIG), "").unwrap();
        let run = RunDir::open(dir.path()).unwrap();
        assert!(matches!(RunDir::open(dir.path()), Err(RunsError::Locked { .. })));
        drop(run);
        RunDir::open(dir.path()).unwrap();
    }

    #[test]
    fn runs_of_the_same_second_get_different_folders() {
        let dir = tempfile::tempdir().unwrap();
        let runs: Vec<_> = (0..4).map(|_| RunDir::create_in(dir.path(), "signs hybrid/é").unwrap()).collect();
        let names: std::collections::BTreeSet<_> = runs.iter().map(|r| r.path().to_owned()).collect();
        assert_eq!(names.len(), 4);
        assert!(names.iter().all(|n| n.to_string_lossy().contains("-signs-hybrid--")), "{names:?}");
    }

    #[test]
    fn a_file_in_the_way_and_a_folder_without_rights_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = RunDir::create(&file, true).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
        assert!(RunDir::create(&file.join("below"), false).is_err());
        // /proc takes no folders, not even from root
        #[cfg(target_os = "linux")]
        assert!(matches!(RunDir::create(Path::new("/proc/run"), false), Err(RunsError::Io { .. })));
    }
}
