//! Whole files of a known size.

use crate::DataError;
use std::path::Path;

/// The whole file, which must have `expected` bytes: `what` they should be, in words.
///
/// # Errors
/// When it cannot be read or has another size; nothing is read then.
pub(crate) fn read_sized(path: &Path, expected: u64, what: &str) -> Result<Vec<u8>, DataError> {
    let wrong = |bytes| DataError::Size { path: path.to_owned(), bytes, expected, what: what.to_owned() };
    let bytes = std::fs::metadata(path).map_err(DataError::io(path))?.len();
    if bytes != expected {
        return Err(wrong(bytes));
    }
    let content = std::fs::read(path).map_err(DataError::io(path))?;
    // the file may have changed in between
    if content.len() as u64 != expected {
        return Err(wrong(content.len() as u64));
    }
    Ok(content)
}

/// For `map_err` and the like: the file is not what its name says.
pub(crate) fn format_error(path: &Path, why: impl Into<String>) -> DataError {
    DataError::Format { path: path.to_owned(), why: why.into() }
}

/// Names of classes, one per line; empty lines do not count.
///
/// # Errors
/// When the file cannot be read, or there are not `classes` names.
pub(crate) fn read_names(path: &Path, classes: usize) -> Result<Vec<String>, DataError> {
    let text = std::fs::read_to_string(path).map_err(DataError::io(path))?;
    let names: Vec<String> = text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
    if names.len() == classes {
        return Ok(names);
    }
    Err(format_error(path, format!("{} class names, expected {classes}", names.len())))
}
