use crate::RunsError;
use serde::de::DeserializeOwned;
use std::{fs, path::Path};

/// The rows of a file of JSON lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines<T> {
    /// One value per line.
    pub rows: Vec<T>,
    /// A last line that a crash cut short: its number, counted from 1, and what there is of it. It is no row.
    pub torn: Option<(usize, String)>,
}

/// Reads a file of JSON lines. A last line without its newline that is no JSON is reported and left out; any other bad
/// line is an error.
///
/// # Errors
/// When the file cannot be read, or a line that was written to its end does not fit.
pub fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Lines<T>, RunsError> {
    let content = fs::read(path).map_err(|source| RunsError::io("read", path, source))?;
    let mut out = Lines { rows: Vec::new(), torn: None };
    for (at, line) in content.split_inclusive(|&b| b == b'\n').enumerate() {
        let (text, whole) = match line.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (line, false),
        };
        if text.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(text) {
            Ok(row) => out.rows.push(row),
            // the line stopped before its JSON did: cut short; anything else is a line of another shape
            Err(_) if !whole && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err() => {
                out.torn = Some((at + 1, String::from_utf8_lossy(text).into_owned()));
            }
            Err(source) => return Err(RunsError::Json { path: path.to_owned(), line: at + 1, source }),
        }
    }
    Ok(out)
}

/// Reads one JSON value.
///
/// # Errors
/// When the file cannot be read or does not fit.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunsError> {
    let content = fs::read(path).map_err(|source| RunsError::io("read", path, source))?;
    serde_json::from_slice(&content).map_err(|source| RunsError::Json {
        path: path.to_owned(),
        line: source.line(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JsonLines;
    use proptest::prelude::*;

    fn read(content: &[u8]) -> Result<Lines<u32>, RunsError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        read_lines(file.path())
    }

    #[test]
    fn only_the_last_line_may_be_torn() {
        assert_eq!(read(b"1\n2\n").unwrap(), Lines { rows: vec![1, 2], torn: None });
        assert_eq!(read(b"1\n\n2").unwrap(), Lines { rows: vec![1, 2], torn: None });
        assert_eq!(read(b"1\n{\"v\"").unwrap().torn, Some((2, "{\"v\"".into())));
        assert_eq!(read(b"1\n\xc3").unwrap().rows, [1]);
        for bad in [&b"1\n{\"v\"\n2\n"[..], b"1\nnull\n", b"1\nnull"] {
            let error = read(bad).unwrap_err();
            assert!(error.to_string().starts_with("line 2: "), "{error}");
        }
    }

    proptest! {
        /// A crash may cut the file anywhere: the rows that were whole are read, and writing goes on after them.
        #[test]
        fn any_cut_is_survived(rows in prop::collection::vec((any::<u32>(), ".*"), 0..8), at in any::<prop::sample::Index>()) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.jsonl");
            let mut lines = JsonLines::open(&path).unwrap();
            let mut ends = vec![0];
            for row in &rows {
                lines.append(row).unwrap();
                ends.push(fs::metadata(&path).unwrap().len() as usize);
            }
            let content = fs::read(&path).unwrap();
            let cut = at.index(content.len() + 1);
            fs::write(&path, &content[..cut]).unwrap();
            // a row is whole when at most its newline is missing
            let whole = ends.iter().skip(1).filter(|&&end| end <= cut + 1).count();
            let got: Lines<(u32, String)> = read_lines(&path).unwrap();
            prop_assert_eq!(&got.rows[..], &rows[..whole]);
            JsonLines::open(&path).unwrap().append(&(7, "new")).unwrap();
            let again: Lines<(u32, String)> = read_lines(&path).unwrap();
            prop_assert_eq!(again.torn, None);
            prop_assert_eq!(again.rows.len(), whole + 1);
        }
    }
}
