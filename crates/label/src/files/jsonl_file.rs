use super::row::{Row, Sample, filled, possible};
use crate::LabelError;
use hybridrepair_core::SampleId;
use serde::{Deserialize, Serialize};
use std::{io, path::Path};

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default)]
    label: Option<Class>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annotator: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered: Option<String>,
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
        let sample = match (parsed.id, filled(parsed.file.as_deref())) {
            (Some(id), _) => Sample::Id(SampleId(id)),
            (None, Some(file)) => Sample::File(file),
            (None, None) => return Err(at("neither id nor file says which picture this is".to_owned())),
        };
        rows.push(Row {
            sample,
            label: filled(label.as_deref()),
            annotator: filled(parsed.annotator.as_deref()),
            seconds: possible("seconds", parsed.seconds).map_err(at)?,
            cost: possible("cost", parsed.cost).map_err(at)?,
            answered: filled(parsed.answered.as_deref()),
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
        let (id, file) = match &row.sample {
            Sample::Id(id) => (Some(id.0), None),
            Sample::File(file) => (None, Some(file.clone())),
        };
        let line = Line {
            id,
            file,
            label: row.label.as_ref().map(class),
            annotator: row.annotator.clone(),
            seconds: row.seconds,
            cost: row.cost,
            answered: row.answered.clone(),
        };
        serde_json::to_writer(&mut out, &line)?;
        out.push(b'\n');
    }
    Ok(out)
}
