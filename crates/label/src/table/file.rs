use super::{csv_file, jsonl_file};
use crate::LabelError;
use hybridrepair_core::SampleId;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// One line of a label file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The sample.
    pub id: SampleId,
    /// Number or name of its class, `None` where nobody has answered yet.
    pub label: Option<String>,
    /// Who answered.
    pub annotator: Option<String>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// The line in the file, counted from 1; 0 for a row that was not read from a file.
    pub line: u64,
}

impl Row {
    /// A row without an answer.
    pub fn unanswered(id: SampleId) -> Self {
        Self { id, label: None, annotator: None, seconds: None, line: 0 }
    }
}

/// How a label file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header and comma-separated values (a semicolon is understood when reading).
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// By the end of the file name.
    ///
    /// # Errors
    /// When it is neither `.csv` nor `.jsonl`.
    pub fn of(path: &Path) -> Result<Self, LabelError> {
        let end = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        match end.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            _ => Err(LabelError::Format { path: path.to_owned() }),
        }
    }
}

/// Reads a label file: every row, answered or not, in file order.
///
/// A CSV file has a header with at least `id` and `label`, in any order; other columns are left alone. A JSONL file has
/// an object with `id` and `label` (number, text or null) a line. Empty lines and a byte order mark are skipped.
///
/// # Errors
/// Names the file and the line: not readable, not UTF-8, a missing column, an id that is no number, negative seconds.
pub fn read_table(path: &Path) -> Result<Vec<Row>, LabelError> {
    let format = Format::of(path)?;
    let bytes = fs::read(path).map_err(|source| LabelError::File { path: path.to_owned(), source })?;
    let text = str::from_utf8(&bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].split(|&b| b == b'\n').count() as u64;
        LabelError::Line { path: path.to_owned(), line, why: "is not UTF-8 text".to_owned() }
    })?;
    let text = text.trim_start_matches('\u{feff}');
    match format {
        Format::Csv => csv_file::read(path, text),
        Format::Jsonl => jsonl_file::read(path, text),
    }
}

/// Writes a label file in one piece: an existing file is replaced only when the new one is complete.
///
/// # Errors
/// When the file cannot be written.
pub fn write_table(path: &Path, rows: &[Row]) -> Result<(), LabelError> {
    let text = match Format::of(path)? {
        Format::Csv => csv_file::write(rows),
        Format::Jsonl => jsonl_file::write(rows),
    };
    let failed = |source: io::Error| LabelError::File { path: path.to_owned(), source };
    let mut part = path.as_os_str().to_owned();
    part.push(".tmp");
    let part = PathBuf::from(part);
    fs::write(&part, text.map_err(failed)?).map_err(failed)?;
    fs::rename(&part, path).map_err(failed)
}

/// A trimmed value, `None` when empty.
pub(super) fn filled(value: Option<&str>) -> Option<String> {
    value.map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned)
}

/// Seconds that are finite and not negative.
pub(super) fn seconds_ok(seconds: Option<f64>) -> Result<Option<f64>, String> {
    match seconds {
        Some(s) if !s.is_finite() || s < 0.0 => Err(format!("{s} seconds are impossible")),
        seconds => Ok(seconds),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file in a folder of its own.
    pub(crate) fn file(name: &str, text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let row = |id, label: Option<&str>| Row { label: label.map(str::to_owned), ..Row::unanswered(SampleId(id)) };
        let mut rows =
            vec![row(7, Some("3")), row(2, None), row(u64::MAX, Some("a \"stop\", sign")), row(8, Some("+07"))];
        rows[0].annotator = Some("Zoë".to_owned());
        rows[0].seconds = Some(1.25);
        for name in ["labels.csv", "labels.jsonl"] {
            let (_dir, path) = file(name, b"old");
            write_table(&path, &rows).unwrap();
            let read: Vec<Row> = read_table(&path).unwrap().into_iter().map(|r| Row { line: 0, ..r }).collect();
            assert_eq!(read, rows, "{name}");
        }
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let cases: [(&str, &[u8], &str); 12] = [
            ("a.csv", b"id,class\n1,2\n", "line 1: no column \"label\""),
            ("a.csv", b"", "line 1: no column \"id\""),
            ("a.csv", b"id,label\n1,2\nx,3\n", "line 3: id \"x\""),
            ("a.csv", b"id,label\n-1,2\n", "line 2: id \"-1\""),
            ("a.csv", b"id,label\n1,2,3,4,5\n", "line 2: "),
            ("a.csv", b"id,label,seconds\n1,2,soon\n", "line 2: seconds \"soon\""),
            ("a.csv", b"id,label,seconds\n1,2,-3\n", "line 2: -3 seconds"),
            ("a.csv", b"id,label\n1,\xff\n", "line 2: is not UTF-8"),
            ("a.jsonl", b"{\"id\":1,\"label\":2}\n{\"id\":1", "line 2: "),
            ("a.jsonl", b"{\"label\":2}\n", "line 1: missing field `id`"),
            ("a.jsonl", b"{\"id\":1,\"label\":[2]}\n", "line 1: "),
            ("a.txt", b"", ".csv and .jsonl"),
        ];
        for (name, text, want) in cases {
            let (_dir, path) = file(name, text);
            let error = read_table(&path).unwrap_err().to_string();
            assert!(error.contains(want) && error.contains(name), "{error}");
        }
        assert!(matches!(read_table(Path::new("none.csv")), Err(LabelError::File { .. })));
    }
}
