//! What the targets share: a folder in memory, for readers that take paths.

use std::path::{Path, PathBuf};

/// A folder of this process on a file system in memory where there is one; made once, not removed.
pub struct Scratch(PathBuf);

impl Scratch {
    /// The folder `name` of this process.
    pub fn new(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = base.join(format!("hybridrepair-fuzz-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder for the inputs");
        Self(dir)
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file of the folder.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the input in a file");
        path
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.0
    }
}

/// Shows an error, so that its text is made too.
pub fn seen<T, E: std::fmt::Display>(result: Result<T, E>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(!error.to_string().is_empty(), "an error that says nothing");
            None
        }
    }
}
