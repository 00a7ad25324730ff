//! The rows of a manifest, and what must hold between them.

use crate::DataError;
use crate::bytes::format_error;
use crate::folder::Part;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its line in the file, counted from 1.
    pub(super) line: u64,
    /// As written.
    pub(super) path: PathBuf,
    pub(super) label: String,
    pub(super) part: Part,
}

/// An error at a line.
pub(super) fn at(manifest: &Path, line: u64, why: &str) -> DataError {
    format_error(manifest, format!("line {line}: {why}"))
}

impl Row {
    /// Checks the three fields.
    pub(super) fn new(manifest: &Path, line: u64, [path, label, split]: [&str; 3]) -> Result<Self, DataError> {
        let (label, split) = (label.trim(), split.trim());
        for (what, value) in [("path", path), ("label", label)] {
            if value.is_empty() {
                return Err(at(manifest, line, &format!("no {what}")));
            }
        }
        let part = split.parse().map_err(|e: DataError| at(manifest, line, &e.to_string()))?;
        Ok(Self { line, path: path.into(), label: label.to_owned(), part })
    }
}

/// Checks that no file stands twice.
pub(super) fn check_distinct(manifest: &Path, rows: &[Row]) -> Result<(), DataError> {
    let mut seen: HashMap<PathBuf, &Row> = HashMap::with_capacity(rows.len());
    for row in rows {
        // ./a//b.png is a/b.png
        let plain: PathBuf = row.path.components().filter(|c| *c != Component::CurDir).collect();
        let Some(first) = seen.insert(plain, row) else { continue };
        let (path, line) = (row.path.display(), first.line);
        let why = match (first.label == row.label, first.part == row.part) {
            (false, _) => {
                format!("{path} is {:?}, but {:?} in line {line}: keep the right one", row.label, first.label)
            }
            (_, false) => {
                let (here, there) = (row.part.name(), first.part.name());
                format!("{path} is in {here}, but in {there} in line {line}: keep one")
            }
            _ => format!("{path} stands in line {line} already: keep one"),
        };
        return Err(at(manifest, row.line, &why));
    }
    Ok(())
}
