//! The final training set as records of 32 x 32 pixels, as in CIFAR's binary version, with the names beside.

use super::{CLASSES, Frame, Frames, SIDE};
use crate::bytes::format_error;
use crate::records::{Records, STRIDE};
use crate::{DataError, Images};
use hybridrepair_core::ClassId;
use std::path::Path;

/// The records: a byte with the class, then the red, the green and the blue plane of 32 x 32, row by row.
pub(super) const DATA: &str = "gtsrb32_train.bin";
/// The names: a line per record, `CCCCC/TTTTT_FFFFF.ppm`.
pub(super) const NAMES: &str = "gtsrb32_train.names.txt";

const FORM: Records = Records { labels: 1, class: 0, classes: CLASSES };

/// Reads `gtsrb32_train.bin` and `gtsrb32_train.names.txt` of `dir`.
///
/// # Errors
/// When a file is missing or damaged, there is not one name per record, or a name says another class than its record.
pub fn read_gtsrb_records(dir: &Path) -> Result<Frames, DataError> {
    let path = dir.join(NAMES);
    let text = std::fs::read_to_string(&path).map_err(DataError::io(&path))?;
    let wrong = |line: usize, why: String| format_error(&path, format!("line {}: {why}", line + 1));
    let frame = |(line, name): (usize, &str)| {
        Frame::parse(name).ok_or_else(|| wrong(line, format!("{name:?} is no name like 00000/00000_00000.ppm")))
    };
    let frames = text.lines().enumerate().map(frame).collect::<Result<Vec<_>, _>>()?;
    let mut data = vec![0; frames.len() * STRIDE];
    let mut labels = vec![ClassId(0); frames.len()];
    FORM.read(&dir.join(DATA), &mut data, &mut labels)?;
    if let Some(row) = (0..frames.len()).find(|&i| labels[i].0 != frames[i].class) {
        return Err(wrong(row, format!("{}, but its record has class {}", frames[row], labels[row])));
    }
    Frames::sorted(Images::new(data, SIDE, SIDE)?, frames, &path)
}
