use super::font;
use crate::{DataError, Images};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use std::{fs::OpenOptions, io::BufWriter, io::Write, path::Path};

/// Pixels between pictures.
const GAP: usize = 4;
/// Pixels between a picture and its caption, and between letters.
const AIR: usize = 1;
const PAPER: u8 = 255;
const INK: u8 = 0;
/// Most pixels of a sheet: 192 MB.
const MOST: usize = 1 << 26;

/// How a contact sheet looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Pictures per line.
    pub columns: usize,
    /// Pixels of the sheet per pixel of a picture.
    pub scale: usize,
}

impl Default for Sheet {
    /// Ten pictures a line, twice their size.
    fn default() -> Self {
        Self { columns: 10, scale: 2 }
    }
}

/// Draws pictures in reading order into an RGB PNG, with a caption under each where `captions` has one.
///
/// `rows` are rows of `images`; `captions` is empty or as long as `rows`. A caption that is wider than its picture is cut.
///
/// # Errors
/// When the file exists already (it is never overwritten) or cannot be written, a row does not exist, the captions do
/// not match, a size is 0, or the sheet would be above 67 million pixels.
pub fn contact_sheet(
    images: &Images,
    rows: &[usize],
    captions: &[String],
    sheet: Sheet,
    path: &Path,
) -> Result<(), DataError> {
    let (width, height, pixels) = draw(images, rows, captions, sheet)?;
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(DataError::io(path))?;
    let mut out = BufWriter::new(file);
    let written = PngEncoder::new(&mut out)
        .write_image(&pixels, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(std::io::Error::other)
        .and_then(|()| out.flush());
    written.map_err(|e| {
        // half a picture is of no use; the reason for the failure is what counts
        let _ = std::fs::remove_file(path);
        DataError::io(path)(e)
    })
}

/// A picture of the network's input as PNG.
///
/// # Errors
/// When the encoder fails.
///
/// # Panics
/// When there is no such row.
pub fn png(images: &Images, row: usize) -> Result<Vec<u8>, std::io::Error> {
    let mut out = Vec::new();
    let (width, height) = (images.width() as u32, images.height() as u32);
    PngEncoder::new(&mut out)
        .write_image(images.get(row), width, height, ExtendedColorType::Rgb8)
        .map_err(std::io::Error::other)?;
    Ok(out)
}

/// Width, height and RGB bytes of the sheet.
fn draw(
    images: &Images,
    rows: &[usize],
    captions: &[String],
    sheet: Sheet,
) -> Result<(usize, usize, Vec<u8>), DataError> {
    let refuse = |what, given: usize, why| Err(DataError::Value { what, given: given.to_string(), why });
    if rows.is_empty() || sheet.columns == 0 || sheet.scale == 0 {
        return refuse(
            "contact sheet of",
            rows.len().min(sheet.columns).min(sheet.scale),
            "pictures, columns or scale",
        );
    }
    if let Some(&row) = rows.iter().find(|&&r| r >= images.len()) {
        return refuse("row", row, "is outside the pictures");
    }
    if !captions.is_empty() && captions.len() != rows.len() {
        return Err(DataError::Rows { what: "captions", got: captions.len(), expected: rows.len() });
    }
    let caption = if captions.is_empty() { 0 } else { AIR + font::HEIGHT };
    let columns = sheet.columns.min(rows.len());
    let lines = rows.len().div_ceil(columns);
    let side = |picture: usize, extra: usize, count: usize| {
        let cell = picture.checked_mul(sheet.scale)?.checked_add(extra + GAP)?;
        Some((cell, cell.checked_mul(count)?.checked_add(GAP)?))
    };
    let sides = side(images.width(), 0, columns).zip(side(images.height(), caption, lines));
    let Some(((cell_w, width), (cell_h, height))) =
        sides.filter(|((_, w), (_, h))| w.checked_mul(*h).is_some_and(|n| n <= MOST))
    else {
        return refuse("contact sheet of", rows.len(), "pictures is above 67 million pixels");
    };
    let mut canvas = Canvas { width, pixels: vec![PAPER; width * height * 3] };
    for (i, &row) in rows.iter().enumerate() {
        let (x, y) = (GAP + i % columns * cell_w, GAP + i / columns * cell_h);
        canvas.picture(images.get(row), images.width(), sheet.scale, x, y);
        if let Some(text) = captions.get(i) {
            canvas.text(text, x, y + images.height() * sheet.scale + AIR, cell_w - GAP);
        }
    }
    Ok((width, height, canvas.pixels))
}

struct Canvas {
    width: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn put(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        let at = (y * self.width + x) * 3;
        self.pixels[at..at + 3].copy_from_slice(&colour);
    }

    fn picture(&mut self, picture: &[u8], width: usize, scale: usize, left: usize, top: usize) {
        for (i, &colour) in picture.as_chunks::<3>().0.iter().enumerate() {
            for dy in 0..scale {
                for dx in 0..scale {
                    self.put(left + i % width * scale + dx, top + i / width * scale + dy, colour);
                }
            }
        }
    }

    /// Writes as many whole letters as fit into `room` pixels.
    fn text(&mut self, text: &str, left: usize, top: usize, room: usize) {
        let step = font::WIDTH + AIR;
        for (i, c) in text.chars().take((room + AIR) / step).enumerate() {
            for (dy, bits) in font::glyph(c).into_iter().enumerate() {
                for dx in 0..font::WIDTH {
                    if bits >> (font::WIDTH - 1 - dx) & 1 == 1 {
                        self.put(left + i * step + dx, top + dy, [INK; 3]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> Images {
        Images::new((0..7u8).flat_map(|i| vec![i * 30; 6 * 8 * 3]).collect(), 6, 8).unwrap()
    }

    #[test]
    fn pictures_stand_in_reading_order() {
        let sheet = Sheet { columns: 2, scale: 3 };
        let (w, h, pixels) = draw(&images(), &[6, 1, 4], &[], sheet).unwrap();
        assert_eq!((w, h), (2 * (24 + 4) + 4, 2 * (18 + 4) + 4));
        let at = |x: usize, y: usize| pixels[(y * w + x) * 3];
        assert_eq!((at(4, 4), at(27, 21), at(32, 4), at(4, 26)), (180, 180, 30, 120));
        assert_eq!((at(3, 4), at(28, 4), at(32, 26), at(4, 22)), (255, 255, 255, 255));
    }

    #[test]
    fn captions_are_cut_to_their_picture() {
        let captions = vec!["a long caption".to_owned(), String::new()];
        let (w, h, pixels) = draw(&images(), &[1, 1], &captions, Sheet { columns: 2, scale: 2 }).unwrap();
        assert_eq!(h, 12 + 8 + 4 + 4);
        let ink: Vec<usize> = (0..w).filter(|x| (17..24).any(|y| pixels[(y * w + x) * 3] == 0)).collect();
        // 16 pixels hold two letters of 5
        assert!(!ink.is_empty() && ink.iter().all(|x| (4..20).contains(x)), "{ink:?}");
    }

    #[test]
    fn a_file_is_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sheet.png");
        let captions: Vec<String> = (0..7).map(|i| i.to_string()).collect();
        let rows: Vec<usize> = (0..7).collect();
        contact_sheet(&images(), &rows, &captions, Sheet::default(), &path).unwrap();
        let read = image::open(&path).unwrap().to_rgb8();
        let (w, h, pixels) = draw(&images(), &rows, &captions, Sheet::default()).unwrap();
        assert_eq!((read.width() as usize, read.height() as usize), (w, h));
        assert_eq!(read.into_raw(), pixels);
        let before = std::fs::read(&path).unwrap();
        let e = contact_sheet(&images(), &[0], &[], Sheet::default(), &path).unwrap_err();
        assert!(matches!(e, DataError::Io { ref source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn impossible_sheets_are_refused() {
        let draw = |rows: &[usize], captions: usize, columns, scale| {
            draw(&images(), rows, &vec![String::new(); captions], Sheet { columns, scale }).is_err()
        };
        assert!(draw(&[], 0, 2, 2) && draw(&[7], 0, 2, 2) && draw(&[1, 2], 1, 2, 2));
        assert!(
            draw(&[1], 0, 0, 2) && draw(&[1], 0, 2, 0) && draw(&[1], 0, 2, usize::MAX) && draw(&[1], 0, 2, 100_000)
        );
    }
}
