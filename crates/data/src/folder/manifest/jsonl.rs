//! Manifests as JSON lines: `{"path": "a.png", "label": "cat", "split": "train"}`, one object per line.

use super::row::{Row, at};
use crate::DataError;
use serde::Deserialize;
use std::path::Path;

/// A label: a name, or a whole number taken as one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Name(String),
    Number(i64),
}

#[derive(Deserialize)]
struct Line {
    path: String,
    label: Label,
    split: String,
}

/// Reads one row per line; empty lines do not count, other fields are not looked at.
pub(super) fn read(path: &Path) -> Result<Vec<Row>, DataError> {
    let content = std::fs::read(path).map_err(DataError::io(path))?;
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&content);
    let mut rows = Vec::new();
    for (number, line) in (1u64..).zip(content.split(|&b| b == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let text = std::str::from_utf8(line).map_err(|_| at(path, number, "is no UTF-8"))?;
        let line: Line = serde_json::from_str(text).map_err(|e| at(path, number, &without_line(&e)))?;
        let label = match line.label {
            Label::Name(name) => name,
            Label::Number(number) => number.to_string(),
        };
        rows.push(Row::new(path, number, [&line.path, &label, &line.split])?);
    }
    Ok(rows)
}

/// The message of the parser, which calls every line the first.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column", ", column")
}
