//! As much of DICOM as an X-ray needs: one frame of grey pixels, plain or as baseline JPEG.

use crate::DataError;
use crate::bytes::format_error;
use std::path::Path;

/// A grey picture of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grey {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// A byte per pixel, row by row; larger is brighter.
    pub pixels: Vec<u8>,
}

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const JPEG: &str = "1.2.840.10008.1.2.4.50";

/// Most pixels of a picture.
const MOST: usize = 1 << 26;

/// A length that stands for "until the end mark".
const OPEN: u32 = u32::MAX;

/// Reads a file with one grey frame: implicit or explicit little-endian values of 8 or 16 bits, or baseline JPEG. Values
/// that leave 0 to 255 are spread over that range, smallest to 0 and largest to 255; where small values are bright
/// (`MONOCHROME1`) they are turned round.
///
/// # Errors
/// When the file cannot be read, is damaged, or holds something else, which is named.
pub fn read_dicom(path: &Path) -> Result<Grey, DataError> {
    let bytes = std::fs::read(path).map_err(DataError::io(path))?;
    parse(&bytes).map_err(|why| format_error(path, why))
}

/// What is read on the way.
#[derive(Default)]
struct Found {
    rows: Option<usize>,
    columns: Option<usize>,
    bits: Option<u16>,
    stored: Option<u16>,
    signed: bool,
    samples: Option<u16>,
    frames: usize,
    inverted: bool,
}

fn parse(bytes: &[u8]) -> Result<Grey, String> {
    if bytes.get(128..132) != Some(b"DICM") {
        return Err("it is no DICOM file: DICM does not stand at byte 128".to_owned());
    }
    let mut at = Cursor { bytes, at: 132, explicit: true };
    let mut syntax = None;
    while at.peek_group()? == 2 {
        let element = at.element()?;
        let value = at.take(element.length)?;
        if element.tag == (2, 0x10) {
            syntax = Some(text(value));
        }
    }
    let syntax = syntax.ok_or("it names no transfer syntax")?;
    at.explicit = match syntax.as_str() {
        IMPLICIT => false,
        EXPLICIT | JPEG => true,
        other => return Err(format!("transfer syntax {other} is not read; uncompressed and baseline JPEG are")),
    };
    let mut found = Found { frames: 1, ..Found::default() };
    loop {
        let element = at.element()?;
        if element.tag == (0x7fe0, 0x10) {
            return if syntax == JPEG { jpeg(&mut at, &element, &found) } else { plain(&mut at, &element, &found) };
        }
        if element.length == OPEN || &element.kind == b"SQ" {
            at.skip_sequence(element.length, 0)?;
            continue;
        }
        let value = at.take(element.length)?;
        let number = || value.first_chunk().map(|b| u16::from_le_bytes(*b)).ok_or("a value is cut short".to_owned());
        match element.tag {
            (0x28, 0x02) => found.samples = Some(number()?),
            (0x28, 0x04) => match text(value).as_str() {
                "MONOCHROME1" => found.inverted = true,
                "MONOCHROME2" => found.inverted = false,
                other => return Err(format!("photometric interpretation {other:?} is not grey")),
            },
            (0x28, 0x08) => found.frames = text(value).parse().map_err(|_| "the number of frames is no number")?,
            (0x28, 0x10) => found.rows = Some(number()?.into()),
            (0x28, 0x11) => found.columns = Some(number()?.into()),
            (0x28, 0x100) => found.bits = Some(number()?),
            (0x28, 0x101) => found.stored = Some(number()?),
            (0x28, 0x103) => found.signed = number()? == 1,
            _ => {}
        }
    }
}

/// A value of text, without its padding.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches(['\0', ' ']).trim_start().to_owned()
}

impl Found {
    fn size(&self) -> Result<(usize, usize), String> {
        if self.samples.unwrap_or(1) != 1 || self.frames != 1 {
            let (samples, frames) = (self.samples.unwrap_or(1), self.frames);
            return Err(format!("{samples} samples per pixel and {frames} frames, expected 1 of each"));
        }
        match (self.rows, self.columns) {
            (Some(h), Some(w)) if h > 0 && w > 0 && h * w <= MOST => Ok((h, w)),
            (h, w) => Err(format!("{} rows and {} columns", h.unwrap_or(0), w.unwrap_or(0))),
        }
    }
}

fn plain(at: &mut Cursor<'_>, element: &Element, found: &Found) -> Result<Grey, String> {
    let (height, width) = found.size()?;
    let bits = found.bits.unwrap_or(0);
    let stored = found.stored.unwrap_or(bits);
    let each = match (bits, stored) {
        (8, 1..=8) => 1,
        (16, 1..=16) => 2,
        other => return Err(format!("{} of {} bits per pixel are not read; 8 and 16 are", other.1, other.0)),
    };
    let value = at.take(element.length)?;
    if value.len() < height * width * each {
        return Err(format!("{} bytes of pixels, expected {}", value.len(), height * width * each));
    }
    let mask = if stored == 16 { u16::MAX } else { (1 << stored) - 1 };
    let number = |b: &[u8]| -> i32 {
        let raw = if each == 1 { u16::from(b[0]) } else { u16::from_le_bytes([b[0], b[1]]) } & mask;
        let negative = found.signed && raw >> (stored - 1) == 1;
        i32::from(raw) - if negative { 1 << stored } else { 0 }
    };
    let values = value[..height * width * each].chunks_exact(each).map(number).collect::<Vec<_>>();
    Ok(Grey { height, width, pixels: to_bytes(&values, found.inverted) })
}

/// Values as bytes: as they are within 0 to 255, else spread over that range.
fn to_bytes(values: &[i32], inverted: bool) -> Vec<u8> {
    let (lo, hi) = values.iter().fold((i32::MAX, i32::MIN), |(lo, hi), &v| (lo.min(v), hi.max(v)));
    let fits = lo >= 0 && hi <= 255;
    let span = f64::from((hi - lo).max(1));
    let byte = |&v: &i32| if fits { v as u8 } else { (f64::from(v - lo) * 255.0 / span).round() as u8 };
    values.iter().map(byte).map(|b| if inverted { 255 - b } else { b }).collect()
}

fn jpeg(at: &mut Cursor<'_>, element: &Element, found: &Found) -> Result<Grey, String> {
    let (height, width) = found.size()?;
    if element.length != OPEN {
        return Err("JPEG pixels are not in fragments".to_owned());
    }
    // the first item is a table of offsets, maybe empty; the others hold one frame, cut anywhere
    let mut stream = Vec::new();
    let mut first = true;
    loop {
        let item = at.element()?;
        match item.tag {
            (0xfffe, 0xe000) => {
                let part = at.take(item.length)?;
                if !first {
                    stream.extend_from_slice(part);
                }
                first = false;
            }
            (0xfffe, 0xe0dd) => break,
            (group, number) => return Err(format!("({group:04x},{number:04x}) stands among the fragments")),
        }
    }
    let picture = image::load_from_memory_with_format(&stream, image::ImageFormat::Jpeg)
        .map_err(|e| format!("its JPEG does not decode: {e}"))?
        .into_luma8();
    if (picture.height() as usize, picture.width() as usize) != (height, width) {
        let (w, h) = picture.dimensions();
        return Err(format!("its JPEG has {h} x {w} pixels, expected {height} x {width}"));
    }
    let turned = picture.into_raw().into_iter().map(|b| if found.inverted { 255 - b } else { b });
    Ok(Grey { height, width, pixels: turned.collect() })
}

/// A tag with what stands before its value.
struct Element {
    tag: (u16, u16),
    /// Kind of value; zeros where the file does not say.
    kind: [u8; 2],
    length: u32,
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether each element says its kind of value.
    explicit: bool,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: u32) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(length as usize).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("it is cut short: {length} bytes are missing at byte {}", self.at))?;
        let value = &self.bytes[self.at..end];
        self.at = end;
        Ok(value)
    }

    fn number16(&mut self) -> Result<u16, String> {
        Ok(u16::from_le_bytes(self.take(2)?.try_into().map_err(|_| "it is cut short")?))
    }

    fn number32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| "it is cut short")?))
    }

    fn peek_group(&mut self) -> Result<u16, String> {
        let group = self.number16()?;
        self.at -= 2;
        Ok(group)
    }

    fn element(&mut self) -> Result<Element, String> {
        let tag = (self.number16()?, self.number16()?);
        // items and end marks never say a kind
        if tag.0 == 0xfffe || !self.explicit {
            return Ok(Element { tag, kind: [0; 2], length: self.number32()? });
        }
        let kind: [u8; 2] = self.take(2)?.try_into().map_err(|_| "it is cut short")?;
        let length = match &kind {
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV" => {
                self.take(2)?;
                self.number32()?
            }
            kind if kind.iter().all(u8::is_ascii_uppercase) => self.number16()?.into(),
            other => return Err(format!("{other:?} is no kind of value at byte {}", self.at - 2)),
        };
        Ok(Element { tag, kind, length })
    }

    /// Passes over a sequence, nested ones included.
    fn skip_sequence(&mut self, length: u32, depth: usize) -> Result<(), String> {
        if length != OPEN {
            self.take(length)?;
            return Ok(());
        }
        if depth > 16 {
            return Err("sequences are nested more than 16 deep".to_owned());
        }
        loop {
            let item = self.element()?;
            match item.tag {
                (0xfffe, 0xe0dd) => return Ok(()),
                (0xfffe, 0xe000) if item.length == OPEN => loop {
                    let inner = self.element()?;
                    if inner.tag == (0xfffe, 0xe00d) {
                        break;
                    }
                    if inner.length == OPEN || &inner.kind == b"SQ" {
                        self.skip_sequence(inner.length, depth + 1)?;
                    } else {
                        self.take(inner.length)?;
                    }
                },
                (0xfffe, 0xe000) => {
                    self.take(item.length)?;
                }
                (group, number) => return Err(format!("({group:04x},{number:04x}) stands in a sequence without item")),
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn explicit(tag: (u16, u16), kind: [u8; 2], value: &[u8]) -> Vec<u8> {
        let mut out = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
        out.extend(kind);
        if [*b"OB", *b"OW", *b"SQ"].contains(&kind) {
            out.extend([0, 0]);
            out.extend((value.len() as u32).to_le_bytes());
        } else {
            out.extend((value.len() as u16).to_le_bytes());
        }
        out.extend(value);
        out
    }

    fn implicit(tag: (u16, u16), value: &[u8]) -> Vec<u8> {
        let mut out = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
        out.extend((value.len() as u32).to_le_bytes());
        out.extend(value);
        out
    }

    fn header(syntax: &str) -> Vec<u8> {
        let mut out = vec![0; 128];
        out.extend(b"DICM");
        let mut name = syntax.as_bytes().to_vec();
        if name.len() % 2 == 1 {
            name.push(0);
        }
        out.extend(explicit((2, 0x10), *b"UI", &name));
        out
    }

    /// A file of 8 or 16 bits, explicit or implicit, with a nested sequence of unknown length before its pixels.
    pub(in crate::rsna) fn file(
        syntax: &str,
        size: (u16, u16),
        bits: u16,
        photometric: &str,
        pixels: &[u8],
    ) -> Vec<u8> {
        let is_implicit = syntax == IMPLICIT;
        let put = |tag, kind: &[u8; 2], value: &[u8]| {
            if is_implicit { implicit(tag, value) } else { explicit(tag, *kind, value) }
        };
        let mut out = header(syntax);
        // (0008,1140): an item of unknown length with one element
        out.extend([0x08, 0, 0x40, 0x11]);
        if !is_implicit {
            out.extend(b"SQ\0\0");
        }
        out.extend(OPEN.to_le_bytes());
        out.extend([0xfe, 0xff, 0x00, 0xe0]);
        out.extend(OPEN.to_le_bytes());
        out.extend(put((0x08, 0x1150), b"UI", b"1.2\0"));
        out.extend([0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
        out.extend(put((0x28, 0x02), b"US", &1u16.to_le_bytes()));
        out.extend(put((0x28, 0x04), b"CS", photometric.as_bytes()));
        for (number, v) in [(0x10, size.0), (0x11, size.1), (0x100, bits), (0x101, bits), (0x103, 0)] {
            out.extend(put((0x28, number), b"US", &v.to_le_bytes()));
        }
        if syntax == JPEG {
            out.extend([0xe0, 0x7f, 0x10, 0, b'O', b'B', 0, 0]);
            out.extend(OPEN.to_le_bytes());
            out.extend([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
            // in two fragments
            for part in [&pixels[..pixels.len() / 2], &pixels[pixels.len() / 2..]] {
                out.extend([0xfe, 0xff, 0x00, 0xe0]);
                out.extend((part.len() as u32).to_le_bytes());
                out.extend(part);
            }
            out.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
        } else {
            out.extend(put((0x7fe0, 0x10), b"OW", pixels));
        }
        out
    }

    #[test]
    fn plain_values_of_both_widths_and_orders_of_brightness() {
        let want = |pixels: &[u8]| Grey { height: 2, width: 3, pixels: pixels.to_vec() };
        let bytes = [0u8, 10, 20, 30, 40, 250];
        for syntax in [IMPLICIT, EXPLICIT] {
            assert_eq!(parse(&file(syntax, (2, 3), 8, "MONOCHROME2 ", &bytes)).unwrap(), want(&bytes));
            let turned = bytes.map(|b| 255 - b);
            assert_eq!(parse(&file(syntax, (2, 3), 8, "MONOCHROME1 ", &bytes)).unwrap(), want(&turned));
            let wide = [100u16, 1100, 600, 100, 100, 100].map(u16::to_le_bytes).concat();
            let spread = [0, 255, 128, 0, 0, 0];
            assert_eq!(parse(&file(syntax, (2, 3), 16, "MONOCHROME2 ", &wide)).unwrap(), want(&spread));
        }
    }

    #[test]
    fn baseline_jpeg_in_fragments() {
        let mut stream = Vec::new();
        let pixels = (0..64u8).map(|i| 60 + i).collect::<Vec<_>>();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut stream, 100)
            .encode(&pixels, 8, 8, image::ExtendedColorType::L8)
            .unwrap();
        let got = parse(&file(JPEG, (8, 8), 8, "MONOCHROME2 ", &stream)).unwrap();
        assert!(got.pixels.iter().zip(&pixels).all(|(a, b)| a.abs_diff(*b) <= 2));
        assert!(parse(&file(JPEG, (8, 9), 8, "MONOCHROME2 ", &stream)).unwrap_err().contains("8 x 8"));
    }

    #[test]
    fn damage_and_other_kinds_are_named_and_never_panic() {
        let good = file(EXPLICIT, (2, 3), 8, "MONOCHROME2 ", &[1; 6]);
        for cut in 0..good.len() {
            assert!(parse(&good[..cut]).is_err(), "cut at {cut}");
        }
        for at in 132..good.len() {
            for v in [0, 0xff] {
                let mut bad = good.clone();
                bad[at] = v;
                let _ = parse(&bad);
            }
        }
        let other = file("1.2.840.10008.1.2.4.90", (2, 3), 8, "MONOCHROME2 ", &[1; 6]);
        assert!(parse(&other).unwrap_err().contains("1.2.840.10008.1.2.4.90"));
        assert!(parse(&file(EXPLICIT, (2, 3), 8, "RGB ", &[1; 18])).unwrap_err().contains("RGB"));
        assert!(parse(&file(EXPLICIT, (20, 3), 8, "MONOCHROME2 ", &[1; 6])).unwrap_err().contains("expected 60"));
    }
}
