//! Data sets by name.

use crate::signs::{SignsSpec, signs};
use crate::{Cut, DataError, PublishedSplit, Splits, cifar, published};
use std::path::{Path, PathBuf};

/// A data set and how it is cut, ready to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatasetSpec {
    /// The built-in road signs, drawn by the program.
    Signs(SignsSpec),
    /// CIFAR-10 in its published split.
    Cifar10 {
        /// Folder of the binary version.
        dir: PathBuf,
        /// Which subsets the model under repair saw.
        split: PublishedSplit,
    },
}

/// What may be said about a data set beside its name; each has a default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// For `signs`: sizes and seed.
    pub signs: SignsSpec,
    /// For published splits: the model under repair and where its subsets come from.
    pub published: PublishedSplit,
    /// A smaller version of each split.
    pub cut: Cut,
    /// Seed of that cut (part of the data set, not the seed of a run).
    pub cut_seed: u64,
}

impl DatasetSpec {
    /// The names of all data sets.
    pub const NAMES: [&str; 2] = ["signs", "cifar10"];

    /// The data set of this name.
    ///
    /// # Errors
    /// When the name is unknown, or the data set needs a folder and `dir` is `None`.
    pub fn parse(name: &str, dir: Option<&Path>, options: &LoadOptions) -> Result<Self, DataError> {
        match name {
            "signs" => Ok(Self::Signs(options.signs)),
            "cifar10" => match dir {
                Some(dir) => Ok(Self::Cifar10 { dir: dir.to_owned(), split: options.published.clone() }),
                None => Err(DataError::NoDataDir { name: "cifar10", help: cifar::help() }),
            },
            _ => {
                let known = Self::NAMES.join(", ");
                Err(DataError::Unknown { what: "dataset", given: name.to_owned(), known })
            }
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Signs(_) => "signs",
            Self::Cifar10 { .. } => "cifar10",
        }
    }

    /// Draws or reads it, whole.
    ///
    /// # Errors
    /// When files are missing or damaged, or a size is out of range.
    pub fn load(&self) -> Result<Splits, DataError> {
        match self {
            Self::Signs(spec) => signs(spec),
            Self::Cifar10 { dir, split } => published::cifar10(dir, split),
        }
    }
}

/// Loads the data set of this name, from `dir` when it is read from files, cut as `options` say.
///
/// # Errors
/// When the name is unknown, the folder is missing, files are damaged, or the cut is impossible.
pub fn load(name: &str, dir: Option<&Path>, options: &LoadOptions) -> Result<Splits, DataError> {
    DatasetSpec::parse(name, dir, options)?.load()?.cut(&options.cut, options.cut_seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, dir: Option<&Path>) -> String {
        load(name, dir, &LoadOptions::default()).unwrap_err().to_string()
    }

    #[test]
    fn names_are_known_or_listed() {
        assert_eq!(error("cifar", None), "unknown dataset \"cifar\"; known are signs, cifar10");
        let e = error("cifar10", None);
        assert!(e.starts_with("dataset cifar10 is read from files: pass --data-dir DIR") && e.contains("kriz"), "{e}");
        assert!(error("cifar10", Some(Path::new("/nonexistent"))).contains("no cifar10 in /nonexistent"));
        for name in DatasetSpec::NAMES {
            assert_eq!(DatasetSpec::parse(name, Some(Path::new("x")), &LoadOptions::default()).unwrap().name(), name);
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
