//! Files that an entry must leave alone.

use crate::ArenaError;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Files up to this size are kept to be put back.
const KEPT: u64 = 64 << 20;

/// The contents of files at one moment, by hash.
#[derive(Debug)]
pub(crate) struct Guard {
    folder: PathBuf,
    except: PathBuf,
    files: BTreeMap<PathBuf, Known>,
}

#[derive(Debug)]
struct Known {
    hash: [u8; 32],
    content: Option<Vec<u8>>,
}

impl Guard {
    /// Remembers all files below `folder` but those below `except`, and `others`.
    pub(crate) fn new(folder: &Path, except: &Path, others: &[PathBuf]) -> Result<Self, ArenaError> {
        let mut guard = Self { folder: folder.to_owned(), except: except.to_owned(), files: BTreeMap::new() };
        for path in guard.below()?.into_iter().chain(others.iter().cloned()) {
            let content = fs::read(&path).map_err(|e| ArenaError::io("read", &path, e))?;
            let known = Known {
                hash: Sha256::digest(&content).into(),
                content: Some(content).filter(|c| c.len() as u64 <= KEPT),
            };
            guard.files.insert(path, known);
        }
        Ok(guard)
    }

    /// Files that were changed, removed or added since. They are put back, or removed.
    pub(crate) fn changed(&self) -> Result<Vec<PathBuf>, ArenaError> {
        let mut changed = Vec::new();
        for (path, known) in &self.files {
            let same = fs::read(path).is_ok_and(|content| <[u8; 32]>::from(Sha256::digest(content)) == known.hash);
            if !same {
                changed.push(path.clone());
                if let Some(content) = &known.content {
                    // whatever lies there now may be a folder or a link
                    let _ = remove(path);
                    let parent = path.parent().unwrap_or(path);
                    fs::create_dir_all(parent).map_err(|e| ArenaError::io("create", parent, e))?;
                    fs::write(path, content).map_err(|e| ArenaError::io("write", path, e))?;
                }
            }
        }
        for path in self.below()? {
            if !self.files.contains_key(&path) {
                remove(&path).map_err(|e| ArenaError::io("remove", &path, e))?;
                changed.push(path);
            }
        }
        Ok(changed)
    }

    fn below(&self) -> Result<Vec<PathBuf>, ArenaError> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|e| ArenaError::io("read", &folder, e))? {
                let path = entry.map_err(|e| ArenaError::io("read", &folder, e))?.path();
                // links are not followed: they are files of their own here
                let kind = fs::symlink_metadata(&path).map_err(|e| ArenaError::io("read", &path, e))?;
                if path == self.except {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_found_and_undone() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("scratch")).unwrap();
        fs::create_dir_all(at("entries")).unwrap();
        for name in ["a", "b", "entries/c", "scratch/own"] {
            fs::write(at(name), name).unwrap();
        }
        let guard = Guard::new(dir.path(), &at("scratch"), &[]).unwrap();
        fs::write(at("scratch/own"), "changed, as it may").unwrap();
        assert_eq!(guard.changed().unwrap(), Vec::<PathBuf>::new());
        fs::write(at("a"), "A").unwrap();
        fs::remove_dir_all(at("entries")).unwrap();
        fs::write(at("new"), "").unwrap();
        assert_eq!(guard.changed().unwrap(), [at("a"), at("entries/c"), at("new")]);
        assert_eq!(fs::read_to_string(at("a")).unwrap(), "a");
        assert_eq!(fs::read_to_string(at("entries/c")).unwrap(), "entries/c");
        assert!(!at("new").exists() && guard.changed().unwrap().is_empty());
    }
}
