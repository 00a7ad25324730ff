use super::file::{Row, filled, seconds_ok};
use crate::LabelError;
use hybridrepair_core::SampleId;
use serde::{Deserialize, Serialize};
use std::{io, path::Path};

#[derive(Serialize, Deserialize)]
struct Line {
    id: u64,
    label: Option<Class>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annotator: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

/// A class by its number or by its name.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Class {
    Number(u32),
    Name(String),
}

pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Row>, LabelError> {
    let mut rows = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = |why: String| LabelError::Line { path: path.to_owned(), line: i as u64 + 1, why };
        let parsed: Line = serde_json::from_str(line).map_err(|e| at(in_one_line(&e)))?;
        let label = parsed.label.map(|class| match class {
            Class::Number(n) => n.to_string(),
            Class::Name(name) => name,
        });
        rows.push(Row {
            id: SampleId(parsed.id),
            label: filled(label.as_deref()),
            annotator: filled(parsed.annotator.as_deref()),
            seconds: seconds_ok(parsed.seconds).map_err(at)?,
            line: i as u64 + 1,
        });
    }
    Ok(rows)
}

/// The message without its "at line 1": the file's line is named already.
fn in_one_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line 1 ") {
        Some((what, place)) => format!("{what} at {place}"),
        None => text,
    }
}

pub(super) fn write(rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for row in rows {
        // 007 is a name: as a number it would come back as 7
        let class = |label: &String| match label.parse() {
            Ok(number) if u32::to_string(&number) == *label => Class::Number(number),
            _ => Class::Name(label.clone()),
        };
        let line = Line {
            id: row.id.0,
            label: row.label.as_ref().map(class),
            annotator: row.annotator.clone(),
            seconds: row.seconds,
        };
        serde_json::to_writer(&mut out, &line)?;
        out.push(b'\n');
    }
    Ok(out)
}
