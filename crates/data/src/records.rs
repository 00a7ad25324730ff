//! The binary versions of CIFAR: records of label bytes and three planes.

use crate::DataError;
use crate::bytes::read_sized;
use hybridrepair_core::ClassId;
use std::path::Path;

/// Rows and columns of a picture.
pub(crate) const SIDE: usize = 32;
/// Pixels of a picture.
const PLANE: usize = SIDE * SIDE;
/// Bytes of a picture.
pub(crate) const STRIDE: usize = 3 * PLANE;

/// Records of label bytes, then the red, the green and the blue plane, each row by row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records {
    /// Label bytes before the planes.
    pub(crate) labels: usize,
    /// Which of them is the class.
    pub(crate) class: usize,
    /// Number of classes.
    pub(crate) classes: usize,
}

impl Records {
    /// Reads as many records as there are labels into `data`, turning planes into pixels.
    ///
    /// # Errors
    /// When the file has another number of records, or a label is outside the classes.
    pub(crate) fn read(self, path: &Path, data: &mut [u8], labels: &mut [ClassId]) -> Result<(), DataError> {
        let record = self.labels + STRIDE;
        let what = format!("{} records of {record} bytes", labels.len());
        let content = read_sized(path, (labels.len() * record) as u64, &what)?;
        let pictures = data.chunks_exact_mut(STRIDE).zip(labels);
        for (row, (bytes, (picture, label))) in content.chunks_exact(record).zip(pictures).enumerate() {
            let class = usize::from(bytes[self.class]);
            if class >= self.classes {
                let (path, classes) = (path.to_owned(), self.classes);
                return Err(DataError::Label { path, record: row, label: class, classes });
            }
            *label = ClassId::from(class);
            let (red, rest) = bytes[self.labels..].split_at(PLANE);
            let (green, blue) = rest.split_at(PLANE);
            let planes = red.iter().zip(green).zip(blue);
            for (pixel, ((&r, &g), &b)) in picture.as_chunks_mut::<3>().0.iter_mut().zip(planes) {
                *pixel = [r, g, b];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As CIFAR-100: a coarse label, then the class.
    const TWO: Records = Records { labels: 2, class: 1, classes: 100 };
    const RECORD: usize = 2 + STRIDE;

    fn records(n: usize) -> Vec<u8> {
        let byte = |i: usize| match i % RECORD {
            0 => 19,
            1 => (90 + i / RECORD) as u8,
            _ => (i * 7 % 256) as u8,
        };
        (0..n * RECORD).map(byte).collect()
    }

    #[test]
    fn planes_become_pixels() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.bin");
        let bytes = records(3);
        std::fs::write(&path, &bytes).unwrap();
        let (mut data, mut labels) = (vec![0; 3 * STRIDE], [ClassId(9); 3]);
        TWO.read(&path, &mut data, &mut labels).unwrap();
        assert_eq!(labels, [ClassId(90), ClassId(91), ClassId(92)]);
        for (record, y, x, c) in [(0, 0, 0, 0), (1, 31, 31, 2), (2, 7, 19, 1), (2, 0, 1, 2)] {
            let planar = record * RECORD + 2 + c * PLANE + y * 32 + x;
            assert_eq!(data[record * STRIDE + (y * 32 + x) * 3 + c], bytes[planar]);
        }
    }

    #[test]
    fn a_file_cut_short_and_a_label_too_high_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.bin");
        let (mut data, mut labels) = (vec![0; 3 * STRIDE], [ClassId(9); 3]);
        let mut bytes = records(3);
        for n in [0, 1, RECORD * 2, RECORD * 3 - 1, RECORD * 3 + 1] {
            std::fs::write(&path, &[&bytes[..], &[0]].concat()[..n]).unwrap();
            let e = TWO.read(&path, &mut data, &mut labels).unwrap_err();
            assert!(e.to_string().contains(&format!("{n} bytes, expected 9222 (3 records of 3074 bytes)")), "{e}");
        }
        bytes[RECORD + 1] = 100;
        std::fs::write(&path, &bytes).unwrap();
        let e = TWO.read(&path, &mut data, &mut labels).unwrap_err();
        assert!(e.to_string().ends_with("record 1 has label 100, outside the 100 classes"), "{e}");
    }
}
