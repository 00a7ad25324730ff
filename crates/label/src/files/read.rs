use super::{Row, cvat, label_studio, read_table, table::bytes};
use crate::LabelError;
use std::path::Path;

/// What wrote a file of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A CSV or JSONL table.
    Table,
    /// Label Studio: its JSON or JSON-MIN export (its CSV export is a table).
    LabelStudio,
    /// CVAT for images 1.1, as the archive or its `annotations.xml`.
    Cvat,
}

/// All answers of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// What wrote it.
    pub source: Source,
    /// In file order; of one annotator on one picture, in the order in which they were given.
    pub rows: Vec<Row>,
    /// Answers that the tool itself marks as cancelled or skipped. They are no rows.
    pub cancelled: usize,
}

/// Reads a file of answers, whatever wrote it: by its ending `.csv`, `.tsv`, `.jsonl`, `.json`, `.xml` or `.zip`.
///
/// # Errors
/// Names the file, the place in it and the offending value.
pub fn read_answers(path: &Path) -> Result<Answers, LabelError> {
    let end = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match end.as_str() {
        "json" => label_studio::read(path, &bytes(path)?),
        "xml" | "zip" => cvat::read(path, bytes(path)?),
        _ => Ok(Answers { source: Source::Table, rows: read_table(path)?, cancelled: 0 }),
    }
}
