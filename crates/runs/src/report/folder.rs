use crate::{Layout, RunsError, read_json, read_lines};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A run as the report sees it: files to read, and the names of its classes.
#[derive(Clone, Debug)]
pub struct RunFolder {
    layout: Layout,
    classes: Vec<String>,
}

impl RunFolder {
    /// The run in this folder.
    ///
    /// # Errors
    /// [`RunsError::NotARun`] when it has no `config.toml`.
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        let layout = Layout::new(path);
        if !layout.config().is_file() {
            return Err(RunsError::NotARun { path: path.to_owned(), missing: crate::layout::CONFIG });
        }
        let mut classes = Vec::new();
        if layout.classes().is_file() {
            classes = read_json(&layout.classes())?;
        }
        Ok(Self { layout, classes })
    }

    /// Where its files are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The path of a file of the run.
    pub fn path(&self, name: &str) -> PathBuf {
        self.layout.root().join(name)
    }

    /// Whether the run has this file.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).is_file()
    }

    /// A JSON file of the run.
    ///
    /// # Errors
    /// When it cannot be read or does not fit.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunsError> {
        read_json(&self.path(name))
    }

    /// The rows of a file of JSON lines; none when the run does not have it.
    ///
    /// # Errors
    /// When it cannot be read or a row does not fit.
    pub fn lines<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, RunsError> {
        if self.has(name) { Ok(read_lines(&self.path(name))?.rows) } else { Ok(Vec::new()) }
    }

    /// The names of the classes, in the order of the logits; empty when the run does not say them.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The name of a class, or its number where it has none.
    pub fn class(&self, class: usize) -> String {
        self.classes.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }
}
