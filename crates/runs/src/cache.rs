//! Results of stages on disk, so that no method of a comparison computes again what another has computed.

use crate::{RunsError, StageKey, read_json, write_json, writer::sync_folder};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

const MANIFEST: &str = "entry.json";

/// A folder of results, one folder each: `STAGE/KEY/`. Several processes may share it.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

/// What a complete entry holds. Written last: an entry without it, or with other files than it says, is torn.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format_version: u32,
    stage: String,
    key: String,
    /// Sizes in bytes by path relative to the entry.
    files: BTreeMap<String, u64>,
}

impl Cache {
    /// A cache in this folder, which is made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: &Path) -> Result<Self, RunsError> {
        fs::create_dir_all(root).map_err(|source| RunsError::io("create", root, source))?;
        Ok(Self { root: root.to_owned() })
    }

    /// The folder of a complete result, if there is one. A torn one does not count.
    pub fn get(&self, key: &StageKey) -> Option<PathBuf> {
        let entry = self.entry(key);
        let manifest: Manifest = read_json(&entry.join(MANIFEST)).ok()?;
        let complete = manifest.key == key.fingerprint().to_string()
            && manifest.files.iter().all(|(name, &size)| {
                fs::metadata(entry.join(name)).is_ok_and(|meta| meta.is_file() && meta.len() == size)
            });
        complete.then_some(entry)
    }

    /// Computes a result into an empty folder and keeps it; a torn one under its key is replaced. Should another
    /// process be computing the same, waits for it, and takes its result.
    ///
    /// # Errors
    /// What `compute` gives, and failures of the file system; nothing is kept then.
    pub fn store<E: From<RunsError>>(
        &self,
        key: &StageKey,
        compute: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        self.get_or_store(key, compute).map(|(path, _)| path)
    }

    /// As [`Cache::store`], and says whether the result was there already.
    ///
    /// # Errors
    /// As [`Cache::store`].
    pub fn get_or_store<E: From<RunsError>>(
        &self,
        key: &StageKey,
        compute: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(PathBuf, bool), E> {
        if let Some(path) = self.get(key) {
            return Ok((path, true));
        }
        let entry = self.entry(key);
        let stage = self.root.join(key.stage());
        fs::create_dir_all(&stage).map_err(|source| RunsError::io("create", &stage, source))?;
        let _lock = self.lock(key)?;
        // it may have become complete while this process waited
        if let Some(path) = self.get(key) {
            return Ok((path, true));
        }
        let part = part_of(&entry);
        // with the lock held, these are what killed processes left
        remove(&part)?;
        fs::create_dir(&part).map_err(|source| RunsError::io("create", &part, source))?;
        let kept = compute(&part).and_then(|()| seal(&part, key).and_then(|()| keep(&part, &entry)).map_err(E::from));
        if let Err(error) = kept {
            // the first error is the one to tell; a leftover folder is removed by the next process that comes here
            let _ = fs::remove_dir_all(&part);
            return Err(error);
        }
        Ok((entry, false))
    }

    fn entry(&self, key: &StageKey) -> PathBuf {
        // half of the hash is enough for a name; the manifest has all of it
        self.root.join(key.stage()).join(&key.fingerprint().to_string()[..32])
    }

    /// Held while a result is computed. The operating system releases it when the process ends, however it ends.
    fn lock(&self, key: &StageKey) -> Result<File, RunsError> {
        let path = self.entry(key).with_extension("lock");
        let fail = |source| RunsError::io("lock", &path, source);
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(fail)?;
        file.lock().map_err(fail)?;
        Ok(file)
    }
}

fn part_of(entry: &Path) -> PathBuf {
    entry.with_extension("part")
}

fn remove(path: &Path) -> Result<(), RunsError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RunsError::io("remove", path, source)),
        _ => Ok(()),
    }
}

/// Brings all files to the disk and lists them in the manifest.
fn seal(part: &Path, key: &StageKey) -> Result<(), RunsError> {
    let mut files = BTreeMap::new();
    list(part, part, &mut files)?;
    let manifest =
        Manifest { format_version: 1, stage: key.stage().to_owned(), key: key.fingerprint().to_string(), files };
    write_json(&part.join(MANIFEST), &manifest)
}

fn list(root: &Path, folder: &Path, files: &mut BTreeMap<String, u64>) -> Result<(), RunsError> {
    let fail = |source| RunsError::io("read", folder, source);
    for item in fs::read_dir(folder).map_err(fail)? {
        let path = item.map_err(fail)?.path();
        let meta = fs::metadata(&path).map_err(|source| RunsError::io("read", &path, source))?;
        if meta.is_dir() {
            list(root, &path, files)?;
        } else {
            File::open(&path).and_then(|f| f.sync_all()).map_err(|source| RunsError::io("write", &path, source))?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.insert(name, meta.len());
        }
    }
    Ok(())
}

/// Gives the finished folder its name, in one step. A torn entry of that name is taken away first.
fn keep(part: &Path, entry: &Path) -> Result<(), RunsError> {
    remove(entry)?;
    let fail = |source| RunsError::io("write", entry, source);
    fs::rename(part, entry).map_err(fail)?;
    sync_folder(entry.parent().unwrap_or(entry)).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn key(n: u32) -> StageKey {
        StageKey::new("embed", n)
    }

    fn number(n: u8) -> impl FnOnce(&Path) -> Result<(), RunsError> {
        move |dir| {
            fs::create_dir(dir.join("sub")).unwrap();
            fs::write(dir.join("sub/b.npy"), [n; 9]).unwrap();
            crate::write_atomic(&dir.join("a.npy"), &[n; 100])
        }
    }

    #[test]
    fn a_result_is_computed_once() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        assert_eq!(cache.get(&key(1)), None);
        let (path, cached) = cache.get_or_store(&key(1), number(7)).unwrap();
        assert!(!cached);
        let again = cache.get_or_store(&key(1), |_| -> Result<(), RunsError> { panic!("computed twice") }).unwrap();
        assert_eq!(again, (path.clone(), true));
        assert_eq!(fs::read(path.join("a.npy")).unwrap(), [7; 100]);
        assert_eq!(cache.get(&key(2)), None);
    }

    #[test]
    fn a_torn_entry_is_never_taken_for_whole() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let harm: [fn(&Path); 6] = [
            |entry| fs::remove_file(entry.join("a.npy")).unwrap(),
            |entry| fs::remove_dir_all(entry.join("sub")).unwrap(),
            |entry| fs::write(entry.join("a.npy"), [7; 99]).unwrap(),
            |entry| fs::write(entry.join("a.npy"), []).unwrap(),
            |entry| fs::remove_file(entry.join(MANIFEST)).unwrap(),
            |entry| fs::write(entry.join(MANIFEST), "{\"format_version\":1,").unwrap(),
        ];
        for (round, harm) in harm.iter().enumerate() {
            let entry = cache.store(&key(1), number(round as u8)).unwrap();
            assert_eq!(fs::read(entry.join("a.npy")).unwrap(), [round as u8; 100], "replaced after harm {round}");
            harm(&entry);
            assert_eq!(cache.get(&key(1)), None, "harm {round}");
        }
    }

    #[test]
    fn a_failed_or_killed_computation_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let failed = cache.store(&key(1), |dir| {
            fs::write(dir.join("a.npy"), "half").unwrap();
            Err(RunsError::DiskFull { path: dir.to_owned() })
        });
        assert!(matches!(failed, Err(RunsError::DiskFull { .. })));
        assert_eq!(cache.get(&key(1)), None);
        // what a killed process leaves behind
        let part = part_of(&cache.entry(&key(1)));
        fs::create_dir(&part).unwrap();
        fs::write(part.join("rubbish"), "").unwrap();
        let entry = cache.store(&key(1), number(1)).unwrap();
        assert!(!entry.join("rubbish").exists() && !part.exists());
    }

    #[test]
    fn of_many_that_want_the_same_one_computes_it() {
        let dir = tempfile::tempdir().unwrap();
        let computed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let cache = Cache::open(dir.path()).unwrap();
                    for n in 0..5 {
                        let path = cache
                            .store(&key(n), |dir| {
                                computed.fetch_add(1, Ordering::Relaxed);
                                std::thread::yield_now();
                                number(n as u8)(dir)
                            })
                            .unwrap();
                        assert_eq!(fs::read(path.join("a.npy")).unwrap(), [n as u8; 100]);
                    }
                });
            }
        });
        assert_eq!(computed.into_inner(), 5);
    }
}
