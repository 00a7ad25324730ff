//! Manifests as CSV: a line with the names of the columns, commas, quotes where a comma is in a name.

use super::row::{Row, at};
use crate::DataError;
use std::path::Path;

/// Reads the columns path, label and split, wherever they stand; others are not looked at.
pub(super) fn read(path: &Path) -> Result<Vec<Row>, DataError> {
    let mut reader = csv::ReaderBuilder::new().from_path(path).map_err(|e| wrong(path, e))?;
    let header = reader.headers().map_err(|e| wrong(path, e))?.clone();
    let names: Vec<&str> = header.iter().map(|n| n.trim_start_matches('\u{feff}').trim()).collect();
    let column = |wanted: &str| {
        let mut places = names.iter().enumerate().filter(|(_, n)| **n == wanted).map(|(i, _)| i);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (None, _) if names.len() == 1 && names[0].contains([';', '\t']) => {
                Err(at(path, 1, "the columns must be separated by commas"))
            }
            (None, _) => {
                let why = format!("no column {wanted:?} among {names:?}; a manifest has path, label and split");
                Err(at(path, 1, &why))
            }
            (Some(_), Some(_)) => Err(at(path, 1, &format!("two columns {wanted:?}"))),
        }
    };
    let columns = [column("path")?, column("label")?, column("split")?];
    let (mut rows, mut record) = (Vec::new(), csv::StringRecord::new());
    while reader.read_record(&mut record).map_err(|e| wrong(path, e))? {
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(Row::new(path, line, columns.map(|c| record.get(c).unwrap_or_default()))?);
    }
    Ok(rows)
}

fn wrong(path: &Path, error: csv::Error) -> DataError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(e) => DataError::io(path)(e),
        csv::ErrorKind::Utf8 { .. } => at(path, line, "is no UTF-8: save the manifest as UTF-8"),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let why = format!("{len} columns, but {expected_len} names in the first line: quote names with commas");
            at(path, line, &why)
        }
        other => at(path, line, &format!("{other:?}")),
    }
}
