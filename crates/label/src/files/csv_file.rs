use super::row::{Row, Sample, filled, possible, sample_id};
use crate::LabelError;
use csv::StringRecord;
use std::{io, path::Path};

/// Columns by the names that people and label tools give them, the first that is there counts.
const ID: [&str; 2] = ["hr_id", "id"];
const FILE: [&str; 3] = ["file", "file_name", "path"];
const LABEL: [&str; 3] = ["label", "choice", "class"];
const ANNOTATOR: [&str; 2] = ["annotator", "by"];
const SECONDS: [&str; 2] = ["seconds", "lead_time"];
const ANSWERED: [&str; 3] = ["answered", "updated_at", "created_at"];

pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Row>, LabelError> {
    let at = |line: u64, why: String| LabelError::Line { path: path.to_owned(), line, why };
    let delimiter = delimiter(text.lines().next().unwrap_or_default());
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let line_of = |e: &csv::Error| e.position().map_or(1, |p| line_at(text, p));
    let header = reader.headers().map_err(|e| at(line_of(&e), e.to_string()))?.clone();
    let find = |names: &[&str]| names.iter().find_map(|n| header.iter().position(|h| h.eq_ignore_ascii_case(n)));
    let missing = |column: &'static str| {
        let found = header.iter().collect::<Vec<_>>().join(", ");
        LabelError::Column { path: path.to_owned(), line: 1, column, found }
    };
    let (id, file) = (find(&ID), find(&FILE));
    if id.is_none() && file.is_none() {
        return Err(missing("id"));
    }
    // of an export of Label Studio, `class` may be anything; a table of ours calls it `label`
    let labels = if id.is_some() && find(&LABEL[..2]).is_none() { &LABEL[..2] } else { &LABEL[..] };
    let label = find(labels).ok_or_else(|| missing("label"))?;
    let (annotator, seconds, cost, answered) = (find(&ANNOTATOR), find(&SECONDS), find(&["cost"]), find(&ANSWERED));

    let mut rows = Vec::new();
    for record in reader.records() {
        let record: StringRecord = record.map_err(|e| at(line_of(&e), e.to_string()))?;
        let line = record.position().map_or(0, |p| line_at(text, p));
        let value = |column: Option<usize>| filled(column.and_then(|c| record.get(c)));
        let number = |what: &str, column: Option<usize>| {
            let parse = |s: String| s.parse::<f64>().map_err(|_| format!("{what} {s:?} are not a number"));
            value(column).map(parse).transpose().and_then(|v| possible(what, v)).map_err(|why| at(line, why))
        };
        let sample = match (value(id), value(file)) {
            (Some(id), _) => Sample::Id(sample_id(&id).map_err(|why| at(line, why))?),
            (None, Some(file)) => Sample::File(file),
            (None, None) if record.iter().all(str::is_empty) => continue,
            (None, None) => return Err(at(line, "neither id nor file says which picture this is".to_owned())),
        };
        rows.push(Row {
            sample,
            label: value(Some(label)),
            annotator: value(annotator),
            seconds: number("seconds", seconds)?,
            cost: number("cost", cost)?,
            answered: value(answered),
            line,
        });
    }
    Ok(rows)
}

/// Spreadsheets in half of Europe write semicolons, and pasted tables have tabs.
fn delimiter(header: &str) -> u8 {
    let count = |d: char| header.matches(d).count();
    [(count(','), b','), (count(';'), b';'), (count('\t'), b'\t')]
        .into_iter()
        .max_by_key(|(n, d)| (*n, *d == b','))
        .map_or(b',', |(_, d)| d)
}

/// The line of a record: the reader's position is before the empty lines that it skips.
fn line_at(text: &str, position: &csv::Position) -> u64 {
    let rest = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    let skipped = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).filter(|&&b| b == b'\n').count();
    position.line() + skipped as u64
}

pub(super) fn write(rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // a path may say for people which picture it is, where an id says it for us
    writer.write_record(["id", "file", "label", "annotator", "seconds", "cost", "answered"])?;
    for row in rows {
        let number = |v: Option<f64>| v.map(|s| s.to_string()).unwrap_or_default();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let (id, file) = match &row.sample {
            Sample::Id(id) => (id.to_string(), String::new()),
            Sample::File(file) => (String::new(), file.clone()),
        };
        let (seconds, cost) = (number(row.seconds), number(row.cost));
        writer.write_record([id, file, text(&row.label), text(&row.annotator), seconds, cost, text(&row.answered)])?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use super::super::table::{read_table, tests::file};
    use super::*;
    use hybridrepair_core::SampleId;

    #[test]
    fn spreadsheets_are_understood() {
        // byte order mark, semicolons, capitals, another order, a strange column, blanks, an empty line, an empty answer
        let (_dir, path) = file("a.csv", "\u{feff}Seconds; Label;note;ID\n 2.5; stop ;x; 9\n\n;;;4\n;;;\n".as_bytes());
        let rows = read_table(&path).unwrap();
        assert_eq!(rows.len(), 2);
        let id = |i| Sample::Id(SampleId(i));
        assert_eq!((&rows[0].sample, rows[0].label.as_deref(), rows[0].seconds), (&id(9), Some("stop"), Some(2.5)));
        assert_eq!((&rows[1].sample, rows[1].label.as_deref(), rows[1].line), (&id(4), None, 4));
        let (_dir, path) = file("a.csv", b"id,label\r\n1,2\r\n\r\n\r\nx,2\r\n");
        assert!(read_table(&path).unwrap_err().to_string().contains("line 5: id \"x\""));
        let (_dir, path) = file("a.tsv", b"file\tlabel\na, b.png\tstop, please\n");
        let rows = read_table(&path).unwrap();
        assert_eq!(
            (&rows[0].sample, rows[0].label.as_deref()),
            (&Sample::File("a, b.png".into()), Some("stop, please"))
        );
    }
}
