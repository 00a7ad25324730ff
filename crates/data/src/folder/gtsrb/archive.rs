//! The final training set as its archive unpacks: a folder per class with PPM pictures and a list of them.

use super::{CLASSES, Frame, Frames};
use crate::DataError;
use crate::bytes::format_error;
use crate::folder::{InputSize, read::read_all};
use std::path::{Path, PathBuf};

/// Where the class folders lie in the archive, below `GTSRB/`.
pub(super) const IMAGES: &str = "Final_Training/Images";

/// Reads `CCCCC/GT-CCCCC.csv` and the pictures listed there from `images` (the folder `GTSRB/Final_Training/Images` of the
/// archive) and brings each whole picture to the input size. The boxes of the signs are not used.
///
/// # Errors
/// When a list or a picture is missing or damaged, or a list names another class than its folder.
pub fn read_gtsrb_archive(images: &Path, input: &InputSize) -> Result<Frames, DataError> {
    let (mut frames, mut files) = (Vec::new(), Vec::new());
    for class in 0..CLASSES {
        for frame in list(images, class)? {
            files.push(images.join(frame.to_string()));
            frames.push(frame);
        }
    }
    Frames::sorted(read_all::<PathBuf>(&files, input)?, frames, images)
}

/// The pictures of one class: `Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId`.
fn list(images: &Path, class: usize) -> Result<Vec<Frame>, DataError> {
    let path = images.join(format!("{class:05}/GT-{class:05}.csv"));
    let text = std::fs::read_to_string(&path).map_err(DataError::io(&path))?;
    let wrong = |line: usize, why: String| format_error(&path, format!("line {}: {why}", line + 1));
    let mut lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
    let header: Vec<&str> = lines.next().map(|(_, l)| l.trim().split(';').collect()).unwrap_or_default();
    let column = |name: &str| {
        header.iter().position(|h| *h == name).ok_or_else(|| wrong(0, format!("no column {name} in {header:?}")))
    };
    let (name, number) = (column("Filename")?, column("ClassId")?);
    lines
        .map(|(line, text)| {
            let fields: Vec<&str> = text.trim().split(';').collect();
            let field = |at: usize| fields.get(at).copied().unwrap_or_default();
            if field(number).parse() != Ok(class) {
                return Err(wrong(line, format!("class {:?} in the folder of class {class}", field(number))));
            }
            let given = format!("{class:05}/{}", field(name));
            Frame::parse(&given).ok_or_else(|| wrong(line, format!("{given:?} is no name like 00000/00000_00000.ppm")))
        })
        .collect()
}
