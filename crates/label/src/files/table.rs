use super::row::Row;
use super::{csv_file, jsonl_file};
use crate::LabelError;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How a table of answers is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header and comma-separated values (semicolons and tabs are understood when reading).
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
            Some("csv" | "tsv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            _ => Err(LabelError::Format { path: path.to_owned() }),
        }
    }
}

/// The largest file of answers that is read.
const MOST_BYTES: u64 = 1 << 28;

/// A whole file, when it is not absurdly large.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, LabelError> {
    let failed = |source| LabelError::File { path: path.to_owned(), source };
    let meta = fs::metadata(path).map_err(failed)?;
    if !meta.is_file() {
        return Err(failed(io::Error::other("is no regular file")));
    }
    if meta.len() > MOST_BYTES {
        return Err(failed(io::Error::other(format!("{} bytes are above the limit of {MOST_BYTES}", meta.len()))));
    }
    fs::read(path).map_err(failed)
}

/// A whole file as text, without its byte order mark.
pub(super) fn text(path: &Path) -> Result<String, LabelError> {
    let bytes = bytes(path)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes()[..e.utf8_error().valid_up_to()].split(|&b| b == b'\n').count() as u64;
        LabelError::Line { path: path.to_owned(), line, why: "is not UTF-8 text: save the file as UTF-8".to_owned() }
    })?;
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}

/// Reads a table of answers: every row, answered or not, in file order.
///
/// A CSV file has a header with `id` (or `file`) and `label`, and maybe `annotator`, `seconds`, `cost` and `answered`, in
/// any order; other columns are left alone. A JSONL file has an object with these keys a line. Empty lines and a byte
/// order mark are skipped.
///
/// # Errors
/// Names the file and the line: not readable, not UTF-8, a missing column, an id that is no number, negative seconds.
pub fn read_table(path: &Path) -> Result<Vec<Row>, LabelError> {
    let format = Format::of(path)?;
    let text = text(path)?;
    match format {
        Format::Csv => csv_file::read(path, &text),
        Format::Jsonl => jsonl_file::read(path, &text),
    }
}

/// Writes a table of answers in one piece: an existing file is replaced only when the new one is complete.
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::row::Sample;
    use super::*;
    use hybridrepair_core::SampleId;

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
        rows[0].cost = Some(0.5);
        rows[0].answered = Some("2026-11-20T10:00:00Z".to_owned());
        rows[3].sample = Sample::File("a, b/\u{1F6A6} 1.png".to_owned());
        for name in ["labels.csv", "labels.jsonl"] {
            let (_dir, path) = file(name, b"old");
            write_table(&path, &rows).unwrap();
            let read: Vec<Row> = read_table(&path).unwrap().into_iter().map(|r| Row { line: 0, ..r }).collect();
            assert_eq!(read, rows, "{name}");
        }
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let cases: [(&str, &[u8], &str); 13] = [
            ("a.csv", b"id,class\n1,2\n", "line 1: no column \"label\""),
            ("a.csv", b"", "line 1: no column \"id\""),
            ("a.csv", b"id,label\n1,2\nx,3\n", "line 3: id \"x\""),
            ("a.csv", b"id,label\n-1,2\n", "line 2: id \"-1\""),
            ("a.csv", b"id,label\n,cat\n", "line 2: neither id nor file"),
            ("a.csv", b"id,label\n1,2,3,4,5\n", "line 2: "),
            ("a.csv", b"id,label,seconds\n1,2,soon\n", "line 2: seconds \"soon\""),
            ("a.csv", b"id,label,seconds\n1,2,-3\n", "line 2: seconds -3 is"),
            ("a.csv", b"id,label\n1,\xff\n", "line 2: is not UTF-8"),
            ("a.jsonl", b"{\"id\":1,\"label\":2}\n{\"id\":1", "line 2: "),
            ("a.jsonl", b"{\"label\":2}\n", "line 1: neither id nor file"),
            ("a.jsonl", b"{\"id\":1,\"label\":[2]}\n", "line 1: "),
            ("a.txt", b"", "a.txt"),
        ];
        for (name, text, want) in cases {
            let (_dir, path) = file(name, text);
            let error = read_table(&path).unwrap_err().to_string();
            assert!(error.contains(want) && error.contains(name), "{error}");
        }
        assert!(matches!(read_table(Path::new("none.csv")), Err(LabelError::File { .. })));
    }
}
