//! A folder with one folder per class.

use super::walk::{Entry, entries, look, pictures};
use super::{Report, SkipReason, Skipped};
use crate::DataError;
use crate::bytes::format_error;
use std::path::{Path, PathBuf};

/// The picture files of a folder with one folder per class.
#[derive(Debug, Default)]
pub struct ClassTree {
    /// Names of the class folders, in the order of their bytes: a class is its rank. Folders without pictures count.
    pub classes: Vec<String>,
    /// Files with their class, in the order of torchvision's `ImageFolder`: by class, by folder, by name.
    pub files: Vec<(PathBuf, usize)>,
}

impl ClassTree {
    /// Lists the files of `dir/CLASS/...`, at any depth; links are followed. Nothing is opened.
    ///
    /// Hidden files, files of other kinds, pictures beside the class folders and links in circles go into the report.
    ///
    /// # Errors
    /// When `dir` cannot be listed, or the name of a class is no UTF-8.
    pub fn scan(dir: &Path, report: &mut Report) -> Result<Self, DataError> {
        let mut tree = Self::default();
        for entry in entries(dir).map_err(DataError::io(dir))? {
            let path = entry.path();
            match look(&entry) {
                Entry::Hidden => report.hidden += 1,
                Entry::Other(ending) => *report.other.entry(ending).or_default() += 1,
                Entry::Picture => report.skipped.push(Skipped { path, why: SkipReason::NoClass }),
                Entry::Unusable(why) => report.skipped.push(Skipped { path, why }),
                Entry::Folder { .. } => {
                    let name = entry.file_name().into_string();
                    let name = name.map_err(|_| {
                        format_error(&path, "the name of this class folder is no UTF-8: rename the folder")
                    })?;
                    let class = tree.classes.len();
                    let files = pictures(&path, report);
                    if files.is_empty() {
                        report.empty_classes.push(path);
                    }
                    tree.classes.push(name);
                    tree.files.extend(files.into_iter().map(|f| (f, class)));
                }
            }
        }
        Ok(tree)
    }
}
