//! "CVAT for images 1.1": an archive with `annotations.xml`, or that file itself.

use super::read::{Answers, Source};
use super::row::{Row, Sample, filled};
use crate::LabelError;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use std::io::{Cursor, Read};
use std::path::Path;

/// The most of an unpacked `annotations.xml` that is read.
const MOST_BYTES: u64 = 1 << 28;
/// Shapes: answers to another question than the class of the whole picture.
const SHAPES: [&[u8]; 9] =
    [b"box", b"polygon", b"polyline", b"points", b"ellipse", b"cuboid", b"mask", b"skeleton", b"track"];

pub(super) fn read(path: &Path, bytes: Vec<u8>) -> Result<Answers, LabelError> {
    let wrong = |why: String| LabelError::Tool { path: path.to_owned(), why };
    let xml = if bytes.starts_with(b"PK") { unpack(bytes).map_err(wrong)? } else { bytes };
    let text = String::from_utf8(xml).map_err(|_| wrong("annotations.xml is not UTF-8".to_owned()))?;
    let rows = parse(&text).map_err(wrong)?;
    Ok(Answers { source: Source::Cvat, rows, cancelled: 0 })
}

fn unpack(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("is no zip archive: {e}"))?;
    let name = "annotations.xml";
    let file = archive.by_name(name).map_err(|e| format!("{name}: {e}; export as \"CVAT for images 1.1\""))?;
    let mut xml = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut xml).map_err(|e| format!("{name}: {e}"))?;
    if xml.len() as u64 > MOST_BYTES {
        return Err(format!("{name} is above the limit of {MOST_BYTES} bytes"));
    }
    Ok(xml)
}

/// One `<image>` while it is read.
struct Picture {
    sample: Sample,
    number: u64,
    tag: Option<String>,
}

/// The outermost element must be that of CVAT: of other XML nothing would be taken, without a word.
fn root(tag: &BytesStart<'_>, outermost: bool) -> Result<(), String> {
    let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
    if outermost && name != "annotations" {
        return Err(format!("begins with <{name}> instead of <annotations>: export as \"CVAT for images 1.1\""));
    }
    Ok(())
}

fn parse(text: &str) -> Result<Vec<Row>, String> {
    let mut reader = Reader::from_str(text);
    let (mut rows, mut picture): (Vec<Row>, Option<Picture>) = (Vec::new(), None);
    let (mut assignee, mut path, mut number) = (None, Vec::<Vec<u8>>::new(), 0);
    loop {
        let event = reader.read_event().map_err(|e| format!("byte {}: {e}", reader.error_position()))?;
        match event {
            Event::Start(tag) => {
                open(&tag, &mut picture, &mut number)?;
                root(&tag, path.is_empty())?;
                if path.len() > 64 {
                    return Err("elements are nested more than 64 deep".to_owned());
                }
                path.push(tag.name().as_ref().to_vec());
            }
            Event::Empty(tag) => {
                root(&tag, path.is_empty())?;
                open(&tag, &mut picture, &mut number)?;
                if tag.name().as_ref() == b"image" {
                    rows.extend(picture.take().map(|p| p.row(assignee.as_deref())));
                }
            }
            Event::End(_) => {
                let closed = path.pop();
                if closed.as_deref() == Some(b"image") {
                    rows.extend(picture.take().map(|p| p.row(assignee.as_deref())));
                }
            }
            // who the task was given to, else who owns it
            Event::Text(text) if path.last().is_some_and(|p| p == b"username") => {
                let by = path.iter().rev().nth(1).map(Vec::as_slice);
                let name = filled(Some(&text.decode().map_err(|e| e.to_string())?));
                if by == Some(b"assignee") || assignee.is_none() {
                    assignee = name.or(assignee);
                }
            }
            Event::Eof if path.is_empty() => return Ok(rows),
            Event::Eof => return Err("ends in the middle of an element".to_owned()),
            _ => {}
        }
    }
}

fn open(tag: &BytesStart<'_>, picture: &mut Option<Picture>, number: &mut u64) -> Result<(), String> {
    let name = tag.name();
    match (name.as_ref(), picture) {
        (b"image", Some(_)) => Err(format!("image {number} has an image in it")),
        (b"image", slot) => {
            *number += 1;
            let name = attribute(tag, "name")?.ok_or_else(|| format!("image {number} has no name"))?;
            *slot = Some(Picture { sample: sample(&name), number: *number, tag: None });
            Ok(())
        }
        (b"tag", Some(picture)) => {
            let at = picture.number;
            let label = attribute(tag, "label")?.ok_or_else(|| format!("image {at}: a tag without label"))?;
            match &picture.tag {
                Some(first) if *first != label => Err(format!(
                    "image {at}: two tags, {first:?} and {label:?}: one class for the whole picture is wanted"
                )),
                _ => {
                    picture.tag = filled(Some(&label));
                    Ok(())
                }
            }
        }
        (shape, _) if SHAPES.contains(&shape) => Err(format!(
            "image {number}: a {}: tags are read, one per picture, no shapes",
            String::from_utf8_lossy(shape)
        )),
        _ => Ok(()),
    }
}

fn attribute(tag: &BytesStart<'_>, wanted: &str) -> Result<Option<String>, String> {
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        if attribute.key.as_ref() == wanted.as_bytes() {
            return Ok(Some(attribute.unescape_value().map_err(|e| e.to_string())?.into_owned()));
        }
    }
    Ok(None)
}

/// Exported pictures are called `images/ID.png`; others are told by their path.
fn sample(name: &str) -> Sample {
    let last = name.rsplit('/').next().unwrap_or(name);
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    // 007.jpg is a name of somebody's, not ours
    match super::row::sample_id(stem) {
        Ok(id) if id.to_string() == stem => Sample::Id(id),
        _ => Sample::File(name.to_owned()),
    }
}

impl Picture {
    fn row(self, assignee: Option<&str>) -> Row {
        let annotator = self.tag.as_ref().and(assignee).map(str::to_owned);
        let Self { sample, number, tag } = self;
        Row { sample, label: tag, annotator, seconds: None, cost: None, answered: None, line: number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn tags_are_read_from_the_file_and_from_the_archive() {
        let xml = include_bytes!("../../tests/fixtures/cvat_images_1_1.xml");
        let answers = read(Path::new("annotations.xml"), xml.to_vec()).unwrap();
        let told: Vec<_> = answers.rows.iter().map(|r| (r.sample.to_string(), r.label.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("sample 41".to_owned(), Some("stop & go")),
                ("sample 7".to_owned(), None),
                ("file \"cam/007.png\"".to_owned(), Some("yield")),
            ]
        );
        assert_eq!(answers.rows[0].annotator.as_deref(), Some("ann"));
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("annotations.xml", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(xml).unwrap();
        let archive = zip.finish().unwrap().into_inner();
        assert_eq!(read(Path::new("task.zip"), archive).unwrap(), answers);
    }

    #[test]
    fn shapes_and_damage_are_refused() {
        for (text, want) in [
            ("<annotations><image id=\"0\"/></annotations>", "image 1 has no name"),
            ("<annotations><image name=\"1.png\"><tag/></image></annotations>", "a tag without label"),
            (
                "<annotations><image name=\"1.png\"><tag label=\"a\"/><tag label=\"b\"/></image></annotations>",
                "two tags",
            ),
            ("<annotations><image name=\"1.png\"><box label=\"a\" xtl=\"0\"/></image></annotations>", "a box"),
            ("<annotations><track id=\"0\"/></annotations>", "a track"),
            ("<annotations><image name=\"1.png\"><image name=\"2.png\"/></image></annotations>", "an image in it"),
            ("<annotations><image name=\"1.png\">", "ends in the middle"),
            ("<annotations></b>", "byte "),
            ("<html></html>", "begins with <html>"),
            ("<html/>", "begins with <html>"),
            ("<annotations><image name=\"&unknown;\"/></annotations>", "unknown"),
            ("PK\u{3}\u{4}", "is no zip archive"),
        ] {
            let error = read(Path::new("x.xml"), text.as_bytes().to_vec()).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
