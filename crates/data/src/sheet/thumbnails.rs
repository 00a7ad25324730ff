use crate::{
    Images,
    folder::{InputSize, Resize},
};
use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};
use std::io;

/// Of 100: small pictures show their blocks below this.
const QUALITY: u8 = 85;

/// Small pictures side by side in reading order, as one JPEG: `columns` squares of `side` pixels in a line. A picture keeps
/// its aspect, black around it.
///
/// # Errors
/// When the encoder fails: there is no row, or the sheet is above 65,535 pixels high.
///
/// # Panics
/// When a row does not exist.
pub fn thumbnail_sheet(images: &Images, rows: &[usize], side: usize, columns: usize) -> io::Result<Vec<u8>> {
    let columns = columns.clamp(1, rows.len().max(1));
    let (width, height) = (columns * side, rows.len().div_ceil(columns) * side);
    let mut sheet = vec![0u8; width * height * 3];
    let square = InputSize { height: side, width: side, resize: Resize::FitPad };
    let mut small = vec![0u8; square.stride()];
    for (i, &row) in rows.iter().enumerate() {
        square.place(images.get(row), (images.height(), images.width()), &mut small);
        let (left, top) = (i % columns * side, i / columns * side);
        for (y, line) in small.chunks_exact(side * 3).enumerate() {
            let at = ((top + y) * width + left) * 3;
            sheet[at..at + side * 3].copy_from_slice(line);
        }
    }
    jpeg(&sheet, width, height)
}

/// RGB pixels, `height x width x 3`, as JPEG.
///
/// # Errors
/// When the encoder fails: a side is 0 or above 65,535.
pub fn jpeg(pixels: &[u8], width: usize, height: usize) -> io::Result<Vec<u8>> {
    let side = |n: usize| u16::try_from(n).map(u32::from).map_err(io::Error::other);
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY)
        .write_image(pixels, side(width)?, side(height)?, ExtendedColorType::Rgb8)
        .map_err(io::Error::other)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::decode;

    #[test]
    fn pictures_stand_in_reading_order() {
        let data: Vec<u8> =
            [[250u8, 10, 10], [10, 250, 10], [10, 10, 250]].iter().flat_map(|c| c.repeat(16 * 16)).collect();
        let images = Images::new(data, 16, 16).unwrap();
        let bytes = thumbnail_sheet(&images, &[2, 0, 1], 16, 2).unwrap();
        let mut out = vec![0; 32 * 32 * 3];
        decode(&bytes, &InputSize::square(32), &mut out).unwrap();
        let strongest = |x: usize, y: usize| {
            let p = &out[(y * 32 + x) * 3..][..3];
            (0..3).max_by_key(|&c| p[c]).filter(|&c| p[c] > 150)
        };
        assert_eq!(
            [strongest(8, 8), strongest(24, 8), strongest(8, 24), strongest(24, 24)],
            [Some(2), Some(0), Some(1), None]
        );
        assert!(thumbnail_sheet(&images, &[], 16, 2).is_err());
    }
}
