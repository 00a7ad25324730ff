//! What is known about a data set before it is read, and the way to load one by name.

use crate::folder::{FileList, InputSize, OwnFolders, read_own};
use crate::registry::DATASETS;
use crate::signs::SignsSpec;
use crate::{Corrupt, Cut, DataError, PublishedSplit, Splits, TrainTransform};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A data set that can be asked for by name. A new one is a file with such an entry and a line in `registry.rs`.
#[derive(Debug)]
pub struct Dataset {
    /// The name by which it is asked for.
    pub name: &'static str,
    /// One line on what it is.
    pub about: &'static str,
    /// Number of classes; `None` when the files say.
    pub classes: Option<usize>,
    /// What its folder must hold; `None` when it needs no folder.
    pub folder: Option<Folder>,
    /// How training pictures are varied.
    pub transform: TrainTransform,
    /// Reads or draws it whole, from a path that exists (any path when it needs none).
    pub load: fn(&Path, &LoadOptions) -> Result<Splits, DataError>,
}

/// What the folder of a data set must hold.
#[derive(Clone, Copy, Debug)]
pub struct Folder {
    /// Folders that its archive unpacks to: looked into first, in this order.
    pub inner: &'static [&'static str],
    /// The files, in words.
    pub holds: &'static str,
    /// Where to get them, in words.
    pub source: &'static str,
}

/// What may be said about a data set beside its name; each has a default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// For `signs`: sizes and seed.
    pub signs: SignsSpec,
    /// The class weighting of the model under repair, and where its subsets come from.
    pub published: PublishedSplit,
    /// A smaller version of each split.
    pub cut: Cut,
    /// Seed of that cut (part of the data set, not the seed of a run).
    pub cut_seed: u64,
    /// What is done to the pictures of field and holdout.
    pub corrupt: Option<Corrupt>,
    /// For picture files: the input size, and how pictures are brought to it; `None` is the data set's own.
    pub input: Option<InputSize>,
    /// Folders of own pictures, instead of a data set by name.
    pub own: Option<OwnFolders>,
    /// The files of an earlier reading of those folders: what has come since is left out.
    pub list: Option<Arc<FileList>>,
}

impl Dataset {
    /// All data sets.
    pub fn all() -> &'static [&'static Self] {
        DATASETS
    }

    /// The data set of this name.
    ///
    /// # Errors
    /// When the name is unknown.
    pub fn named(name: &str) -> Result<&'static Self, DataError> {
        DATASETS.iter().copied().find(|d| d.name == name).ok_or_else(|| {
            let known = DATASETS.iter().map(|d| d.name).collect::<Vec<_>>().join(", ");
            DataError::Unknown { what: "dataset", given: name.to_owned(), known }
        })
    }

    /// What its folder must hold and where to get it; empty when it needs none.
    pub fn help(&self) -> String {
        let Some(Folder { inner, holds, source }) = &self.folder else { return String::new() };
        let inner = match inner {
            [] => String::new(),
            inner => format!(" (or its {}/)", inner.join("/ or ")),
        };
        format!("the folder{inner} must hold {holds}: {source}")
    }

    /// The folder with the files: the first of its inner folders that is there, or `dir` itself.
    pub(crate) fn inside(&self, dir: &Path) -> PathBuf {
        let inner = self.folder.iter().flat_map(|f| f.inner).map(|inner| dir.join(inner));
        inner.into_iter().find(|d| d.is_dir()).unwrap_or_else(|| dir.to_owned())
    }

    /// The folder with all these files, `dir` or one inside it.
    pub(crate) fn find(&self, dir: &Path, files: &[&str]) -> Result<PathBuf, DataError> {
        let found = self.inside(dir);
        match files.iter().find(|f| !found.join(f).is_file()) {
            None => Ok(found),
            Some(file) => Err(self.missing(dir, file, &packed(dir))),
        }
    }

    /// Something that is not in `dir`; `hint` says more, ending in "; ".
    pub(crate) fn missing(&self, dir: &Path, what: &str, hint: &str) -> DataError {
        let help = format!("{hint}{}", self.help());
        DataError::Missing { name: self.name, dir: dir.to_owned(), missing: what.to_owned(), help }
    }
}

/// A hint when an archive lies in the folder, ending in "; ".
fn packed(dir: &Path) -> String {
    let names = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.file_name());
    let archive = |name: &String| [".tar.gz", ".tgz", ".tar", ".zip"].iter().any(|end| name.ends_with(end));
    let first = names.filter_map(|name| name.into_string().ok()).filter(archive).min();
    first.map_or_else(String::new, |name| format!("unpack {name} there first; "))
}

/// A data set and how it is cut, ready to be loaded.
#[derive(Clone, Debug)]
pub struct DatasetSpec {
    dataset: &'static Dataset,
    dir: PathBuf,
    options: LoadOptions,
}

impl DatasetSpec {
    /// The data set of this name.
    ///
    /// # Errors
    /// When the name is unknown, or the data set needs a folder and `dir` is `None`.
    pub fn parse(name: &str, dir: Option<&Path>, options: &LoadOptions) -> Result<Self, DataError> {
        let dataset = Dataset::named(name)?;
        let dir = match (dir, &dataset.folder) {
            (Some(dir), _) => dir.to_owned(),
            (None, None) => PathBuf::new(),
            (None, Some(_)) => return Err(DataError::NoDataDir { name: dataset.name, help: dataset.help() }),
        };
        Ok(Self { dataset, dir, options: options.clone() })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.dataset.name
    }

    /// Draws or reads it, whole.
    ///
    /// # Errors
    /// When files are missing or damaged, or a size is out of range.
    pub fn load(&self) -> Result<Splits, DataError> {
        if self.dataset.folder.is_some() && !self.dir.exists() {
            return Err(self.dataset.missing(&self.dir, "the folder", ""));
        }
        (self.dataset.load)(&self.dir, &self.options)
    }
}

/// Loads the data set of this name (or the folders of the options), from `dir` when it is read from files, cut as `options` say.
///
/// # Errors
/// When the name is unknown, the folder is missing, files are damaged, or the cut is impossible.
pub fn load(name: &str, dir: Option<&Path>, options: &LoadOptions) -> Result<Splits, DataError> {
    let whole = match &options.own {
        Some(own) => {
            let input = options.input.unwrap_or(InputSize::square(32));
            read_own(own, options.list.as_deref(), &input, options.cut_seed)?.splits
        }
        None => DatasetSpec::parse(name, dir, options)?.load()?,
    };
    let mut cut = whole.cut(&options.cut, options.cut_seed)?;
    if let Some(corrupt) = options.corrupt {
        corrupt.apply(&mut cut.field, options.cut_seed)?;
        corrupt.apply(&mut cut.holdout, options.cut_seed)?;
        cut.notes.push(format!("field and holdout are corrupted: {corrupt}"));
    }
    Ok(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, dir: Option<&Path>) -> String {
        load(name, dir, &LoadOptions::default()).unwrap_err().to_string()
    }

    #[test]
    fn names_are_known_or_listed() {
        assert!(error("cifar", None).starts_with("unknown dataset \"cifar\"; known are signs, cifar10"));
        let e = error("cifar10", None);
        assert!(e.starts_with("dataset cifar10 is read from files: pass --data-dir DIR") && e.contains("kriz"), "{e}");
    }

    #[test]
    fn entries_are_complete_and_distinct() {
        for (i, d) in Dataset::all().iter().enumerate() {
            assert!(Dataset::all()[..i].iter().all(|e| e.name != d.name), "{} twice", d.name);
            assert!(!d.about.is_empty() && !d.about.contains('\n'), "{}", d.name);
            let Some(folder) = &d.folder else { continue };
            assert!(!folder.holds.is_empty() && !folder.source.is_empty(), "{}", d.name);
            let e = error(d.name, Some(Path::new("/nonexistent")));
            assert!(e.starts_with(&format!("no {} in /nonexistent: the folder not found; the folder", d.name)), "{e}");
            // a folder without the files: said, with where to get them
            let empty = tempfile::tempdir().unwrap();
            let e = error(d.name, Some(empty.path()));
            assert!(e.contains("not found") && e.contains(folder.source), "{}: {e}", d.name);
        }
    }

    #[test]
    fn a_small_signs_set_is_cut() {
        let signs = SignsSpec { train: 30, val: 10, field: 40, holdout: 20, ..SignsSpec::standard() };
        let cut = Cut { field: Some(15), ..Cut::default() };
        let options = LoadOptions { signs, cut, ..LoadOptions::default() };
        let s = load("signs", None, &options).unwrap();
        assert_eq!((s.train.images.len(), s.field.images.len(), s.holdout.labels.len()), (30, 15, 20));
        s.train.check("train", s.classes()).unwrap();
    }
}
