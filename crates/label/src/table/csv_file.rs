use super::file::{Row, filled, seconds_ok};
use crate::LabelError;
use csv::StringRecord;
use hybridrepair_core::SampleId;
use std::{io, path::Path};

pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Row>, LabelError> {
    let at = |line: u64, why: String| LabelError::Line { path: path.to_owned(), line, why };
    // spreadsheets in half of Europe write semicolons
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') && !header.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let line_of = |e: &csv::Error| e.position().map_or(1, |p| line_at(text, p));
    let header = reader.headers().map_err(|e| at(line_of(&e), e.to_string()))?.clone();
    let find = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    let must = |column: &'static str| {
        let found = header.iter().collect::<Vec<_>>().join(", ");
        find(column).ok_or(LabelError::Column { path: path.to_owned(), line: 1, column, found })
    };
    let (id, label, annotator, seconds) = (must("id")?, must("label")?, find("annotator"), find("seconds"));

    let mut rows = Vec::new();
    for record in reader.records() {
        let record: StringRecord = record.map_err(|e| at(line_of(&e), e.to_string()))?;
        let line = record.position().map_or(0, |p| line_at(text, p));
        let value = |column: Option<usize>| filled(column.and_then(|c| record.get(c)));
        let given = record.get(id).unwrap_or_default();
        let number = given.parse().map_err(|_| at(line, format!("id {given:?} is not a number from 0")))?;
        let spent = value(seconds)
            .map(|s| s.parse::<f64>().map_err(|_| at(line, format!("seconds {s:?} are not a number"))))
            .transpose()?;
        rows.push(Row {
            id: SampleId(number),
            label: value(Some(label)),
            annotator: value(annotator),
            seconds: seconds_ok(spent).map_err(|why| at(line, why))?,
            line,
        });
    }
    Ok(rows)
}

/// The line of a record: the reader's position is before the empty lines that it skips.
fn line_at(text: &str, position: &csv::Position) -> u64 {
    let rest = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    let skipped = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).filter(|&&b| b == b'\n').count();
    position.line() + skipped as u64
}

pub(super) fn write(rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "label", "annotator", "seconds"])?;
    for row in rows {
        let seconds = row.seconds.map(|s| s.to_string()).unwrap_or_default();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        writer.write_record([row.id.to_string(), text(&row.label), text(&row.annotator), seconds])?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use super::super::file::{read_table, tests::file};
    use super::*;

    #[test]
    fn spreadsheets_are_understood() {
        // byte order mark, semicolons, capitals, another order, a strange column, blanks, an empty line, an empty answer
        let (_dir, path) = file("a.csv", "\u{feff}Seconds; Label;note;ID\n 2.5; stop ;x; 9\n\n;;;4\n".as_bytes());
        let rows = read_table(&path).unwrap();
        assert_eq!((rows[0].id, rows[0].label.as_deref(), rows[0].seconds), (SampleId(9), Some("stop"), Some(2.5)));
        assert_eq!((rows[1].id, rows[1].label.as_deref(), rows[1].line), (SampleId(4), None, 4));
        let (_dir, path) = file("a.csv", b"id,label\r\n1,2\r\n\r\n\r\nx,2\r\n");
        assert!(read_table(&path).unwrap_err().to_string().contains("line 5: id \"x\""));
    }
}
