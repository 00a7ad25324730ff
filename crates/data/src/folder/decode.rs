//! One picture: from the bytes of a file to RGB at the network's input size.
//!
//! - The contents decide the format, not the name: PNG, JPEG, WebP, BMP, PNM, TIFF, GIF; the first picture of several.
//! - Grey and palettes become RGB. Transparency is dropped, not blended: the colours that the file holds count, which is
//!   what `convert("RGB")` of Pillow and so torchvision's `ImageFolder` gives.
//! - 16 bits become 8 by rounding to the nearest of 256 levels.
//! - A picture is turned as its EXIF orientation says, so that the network sees it as people do. (torchvision's loader
//!   does not: a model trained with it on pictures that carry an orientation saw them lying.)
//! - Colour profiles are ignored, as Pillow does.
//! - Pixels are those of Pillow to the bit for lossless formats; JPEG decoders differ by a few of 255 levels.

use super::{InputSize, SkipReason, jpeg};
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, error::LimitErrorKind,
    metadata::Orientation,
};
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The formats, for people.
const KNOWN: &str = "PNG, JPEG, WebP, BMP, PNM, TIFF, GIF";
/// The formats.
const FORMATS: [ImageFormat; 7] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::WebP,
    ImageFormat::Bmp,
    ImageFormat::Pnm,
    ImageFormat::Tiff,
    ImageFormat::Gif,
];
/// The largest file that is read.
const MOST_BYTES: u64 = 1 << 28;
/// The most pixels of a picture: where Pillow begins to warn of a decompression bomb.
const MOST_PIXELS: u64 = 89_478_485;
/// The most memory of a decoder.
const MOST_MEMORY: u64 = 1 << 30;
/// From so many pixels on, pictures are decoded one at a time, whatever the number of threads.
const LARGE: u64 = 16_000_000;

/// Held while a large picture is decoded.
static LARGE_ONE: Mutex<()> = Mutex::new(());

/// Decodes the contents of a file into `out`, `height x width x 3`.
///
/// # Errors
/// When it is no picture, is damaged or cut short, or too large.
///
/// # Panics
/// When `out` is not one picture long.
pub fn decode(bytes: &[u8], input: &InputSize, out: &mut [u8]) -> Result<(), SkipReason> {
    let picture = picture(bytes)?.1.into_rgb8();
    let size = (picture.height() as usize, picture.width() as usize);
    input.place(picture.as_raw(), size, out);
    Ok(())
}

/// What a picture is, before it is brought to the network's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) format: String,
    pub(super) colour: String,
    /// Whether its EXIF entry turns or mirrors it.
    pub(super) turned: bool,
}

/// What the picture in a file is, and the bytes of the file.
pub(super) fn look_at(path: &Path) -> Result<(Look, Vec<u8>), SkipReason> {
    let bytes = read(path)?;
    Ok((picture(&bytes)?.0, bytes))
}

/// The picture as people see it.
fn picture(bytes: &[u8]) -> Result<(Look, DynamicImage), SkipReason> {
    let format = format(bytes)?;
    if format == ImageFormat::Jpeg && !jpeg::is_whole(bytes) {
        return Err(SkipReason::CutShort("no end-of-image marker".to_owned()));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(reason)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS {
        return Err(SkipReason::Pixels { width, height, limit: MOST_PIXELS });
    }
    if pixels == 0 {
        return Err(SkipReason::Damaged(format!("{width} x {height} pixels")));
    }
    let _one_at_a_time = (pixels > LARGE).then(|| LARGE_ONE.lock().unwrap_or_else(PoisonError::into_inner));
    decoder.set_limits(limits()).map_err(reason)?;
    // an orientation that cannot be read turns nothing
    let orientation = decoder.orientation().ok();
    let colour = format!("{:?}", decoder.original_color_type()).to_lowercase();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(reason)?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let turned = orientation.is_some_and(|o| o != Orientation::NoTransforms);
    let format = format!("{format:?}").to_uppercase();
    let look = Look { width: picture.width(), height: picture.height(), format, colour, turned };
    Ok((look, picture))
}

/// Reads and decodes a file into `out`, `height x width x 3`.
///
/// # Errors
/// As [`decode`], and when the file cannot be read, is no regular file, or has more than 256 MiB.
///
/// # Panics
/// When `out` is not one picture long.
pub fn decode_file(path: &Path, input: &InputSize, out: &mut [u8]) -> Result<(), SkipReason> {
    decode(&read(path)?, input, out)
}

fn read(path: &Path) -> Result<Vec<u8>, SkipReason> {
    // before it is opened: opening a pipe waits for a writer
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(SkipReason::NotAFile);
    }
    let too_large = |bytes| SkipReason::Bytes { bytes, limit: MOST_BYTES };
    if meta.len() > MOST_BYTES {
        return Err(too_large(meta.len()));
    }
    let mut bytes = Vec::with_capacity(meta.len() as usize + 1);
    // it may have grown in between
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
}

fn format(bytes: &[u8]) -> Result<ImageFormat, SkipReason> {
    if bytes.is_empty() {
        return Err(SkipReason::Empty);
    }
    match image::guess_format(bytes) {
        Ok(format) if FORMATS.contains(&format) => Ok(format),
        _ => {
            let begins = bytes[..bytes.len().min(12)].escape_ascii().to_string();
            Err(SkipReason::Format { begins, known: KNOWN })
        }
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    limits
}

fn reason(error: ImageError) -> SkipReason {
    match error {
        ImageError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => SkipReason::CutShort(e.to_string()),
        ImageError::IoError(e) => SkipReason::Damaged(e.to_string()),
        ImageError::Limits(e) if matches!(e.kind(), LimitErrorKind::InsufficientMemory) => {
            SkipReason::Damaged(format!("it needs more than {MOST_MEMORY} bytes of memory"))
        }
        e => SkipReason::Damaged(e.to_string()),
    }
}
