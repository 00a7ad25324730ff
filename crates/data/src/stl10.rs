//! STL-10, from its official binary files, at 32 x 32.

use crate::bytes::{format_error, read_sized};
use crate::columns::from_columns;
use crate::dataset::{Dataset, Folder};
use crate::published::{Cuts, Plan};
use crate::{DataError, Images, Normalization, TrainTransform, Whole};
use hybridrepair_core::ClassId;
use rayon::prelude::*;
use std::path::Path;

/// STL-10 in its published split: 1,800 training and 750 validation pictures in draw order, a holdout of 4,000 and a
/// field pool of 6,000. Sample ids are rows of the 5,000 training pictures followed by the 8,000 test pictures.
pub(crate) static STL10: Dataset = Dataset {
    name: "stl10",
    about: "photographs of 10 kinds of things, made smaller; published split",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &["stl10_binary"],
        holds: "train_X.bin, train_y.bin, test_X.bin and test_y.bin",
        source: "\"Binary files\" at https://cs.stanford.edu/~acoates/stl10",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| PLAN.cut(read_stl10(dir)?, &options.published),
};

const PLAN: Plan = Plan {
    name: STL10.name,
    normalization: Normalization { mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] },
    cuts: Cuts { train: (0..2_000, 0.9), val: (2_000..3_000, 0.75), holdout: 3_000..7_000, field: 7_000..13_000 },
};

/// Rows and columns of a picture in the files.
const LARGE: usize = 96;
/// Bytes of a picture in the files.
const STRIDE: usize = LARGE * LARGE * 3;
/// Rows and columns of a picture as it is used.
const SIDE: usize = LARGE / 3;
/// Number of classes.
const CLASSES: usize = 10;
/// The parts, with the pictures that each must hold.
const PARTS: [(&str, usize); 2] = [("train", 5_000), ("test", 8_000)];
/// The names of the classes; labels count from 1.
const NAMES: [&str; CLASSES] = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];

/// Reads the labelled pictures of `dir`, or of `dir/stl10_binary`, in file order, resized to 32 x 32 as Pillow's bilinear
/// filter does.
///
/// # Errors
/// When the folder or a file is missing, a file has another size than the official one, or a label is outside 1 to 10.
pub fn read_stl10(dir: &Path) -> Result<Whole, DataError> {
    let files = PARTS.map(|(part, _)| [format!("{part}_X.bin"), format!("{part}_y.bin")]);
    let found = STL10.find(dir, &files.as_flattened().iter().map(String::as_str).collect::<Vec<_>>())?;
    let (mut data, mut labels) = (Vec::new(), Vec::new());
    for ([pictures, classes], (_, n)) in files.iter().zip(PARTS) {
        let (part, of_part) = read_stl10_part(&found.join(pictures), &found.join(classes), n)?;
        data.extend_from_slice(part.as_slice());
        labels.extend(of_part);
    }
    let class_names = NAMES.map(str::to_owned).to_vec();
    Ok(Whole { images: Images::new(data, SIDE, SIDE)?, labels, class_names })
}

/// Reads `n` pictures and their labels in the format of STL-10: 3 x 96 x 96 bytes per picture, each plane column by
/// column, and one byte per label, from 1 to 10. The pictures are resized to 32 x 32.
///
/// # Errors
/// When a file is missing or has another size, or a label is outside 1 to 10.
pub fn read_stl10_part(pictures: &Path, labels: &Path, n: usize) -> Result<(Images, Vec<ClassId>), DataError> {
    let bytes = read_sized(labels, n as u64, &format!("{n} labels of one byte"))?;
    let class = |(row, &label): (usize, &u8)| match label {
        1..=10 => Ok(ClassId::from(usize::from(label) - 1)),
        _ => Err(format_error(labels, format!("picture {row} has label {label}, expected 1 to 10"))),
    };
    let classes = bytes.iter().enumerate().map(class).collect::<Result<Vec<_>, _>>()?;
    let planes = read_sized(pictures, (n * STRIDE) as u64, &format!("{n} pictures of {STRIDE} bytes"))?;
    let mut data = vec![0; n * SIDE * SIDE * 3];
    data.par_chunks_mut(SIDE * SIDE * 3).zip(planes.par_chunks(STRIDE)).for_each_init(
        || (vec![0; STRIDE], vec![0; LARGE * SIDE * 3]),
        |(large, narrow), (small, planes)| {
            from_columns(planes, LARGE, large);
            // columns first
            for (row, out) in large.chunks_exact(LARGE * 3).zip(narrow.chunks_exact_mut(SIDE * 3)) {
                third(row, 3, out);
            }
            third(narrow, SIDE * 3, small);
        },
    );
    Ok((Images::new(data, SIDE, SIDE)?, classes))
}

/// Makes an axis of 96 a third as long; neighbours along it lie `step` bytes apart, and all before it are one row.
///
/// Pillow's antialiased bilinear filter is a triangle as wide as the reduction on either side, here 1 2 3 2 1 around the
/// middle of three, cut off at the ends. Its weights have 22 bits behind the point, and each axis is rounded to 8 bits.
fn third(large: &[u8], step: usize, small: &mut [u8]) {
    const BITS: u32 = 22;
    for (at, out) in small.chunks_exact_mut(step).enumerate() {
        let middle = 3 * at + 1;
        let (first, last) = (middle.saturating_sub(2), (middle + 2).min(LARGE - 1));
        let heights = (first..=last).map(|i| 3 - i.abs_diff(middle) as u32);
        let sum: u32 = heights.clone().sum();
        let weights = heights.map(|h| ((h << BITS) + sum / 2) / sum);
        let mut sums = [1 << (BITS - 1); SIDE * 3];
        for (weight, line) in weights.zip(large[first * step..].chunks_exact(step)) {
            for (sum, &v) in sums.iter_mut().zip(line) {
                *sum += weight * u32::from(v);
            }
        }
        for (o, sum) in out.iter_mut().zip(sums) {
            *o = (sum >> BITS).min(255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(n: usize, c: usize, x: usize, y: usize) -> u8 {
        (7 * y + 13 * x + 50 * c + 3 * (x * y % 31) + 90 * n) as u8
    }

    fn planes(n: usize) -> Vec<u8> {
        (0..n * STRIDE).map(|i| pattern(i / STRIDE, i / 9216 % 3, i / 96 % 96, i % 96)).collect()
    }

    #[test]
    fn pictures_are_pillows() {
        let dir = tempfile::tempdir().unwrap();
        let (x, y) = (dir.path().join("train_X.bin"), dir.path().join("train_y.bin"));
        std::fs::write(&x, planes(3)).unwrap();
        std::fs::write(&y, [10, 1, 5]).unwrap();
        let (images, labels) = read_stl10_part(&x, &y, 3).unwrap();
        assert_eq!(labels, [ClassId(9), ClassId(0), ClassId(4)]);
        // the fingerprint of what Pillow makes of them: tests/fixtures/make_stl10_golden.py
        let print = images.fingerprint().map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(print, "fee1125ed65b825d3d23d785224885013f816ce37c8ed34e31b0d6ae8760d501");
        // and one pixel by hand: 1 2 3 2 1 on both axes around (4, 7), in ninths
        let axis = |at: usize| (3 * at - 1..3 * at + 4).map(move |i| (i, 3 - i.abs_diff(3 * at + 1)));
        let sum: usize =
            axis(1).flat_map(|(y, v)| axis(2).map(move |(x, w)| v * w * usize::from(pattern(1, 2, x, y)))).sum();
        let mean = sum as f64 / 81.0;
        assert!((f64::from(images.get(1)[(32 + 2) * 3 + 2]) - mean).abs() <= 1.0);
    }

    #[test]
    fn sizes_and_labels_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let (x, y) = (dir.path().join("test_X.bin"), dir.path().join("test_y.bin"));
        let says = |pictures: &[u8], labels: &[u8], text: &str| {
            std::fs::write(&x, pictures).unwrap();
            std::fs::write(&y, labels).unwrap();
            let e = read_stl10_part(&x, &y, 2).unwrap_err().to_string();
            assert!(e.contains(text), "{e}");
        };
        says(&planes(2), &[1], "test_y.bin: 1 bytes, expected 2 (2 labels of one byte)");
        says(&planes(2), &[1, 2, 3], "test_y.bin: 3 bytes, expected 2");
        says(&planes(2), &[1, 11], "test_y.bin: picture 1 has label 11, expected 1 to 10");
        says(&planes(2), &[0, 1], "test_y.bin: picture 0 has label 0, expected 1 to 10");
        says(&planes(1), &[1, 2], "test_X.bin: 27648 bytes, expected 55296 (2 pictures of 27648 bytes)");
        says(&planes(2)[1..], &[1, 2], "test_X.bin: 55295 bytes, expected 55296");
        says(&planes(3), &[1, 2], "test_X.bin: 82944 bytes, expected 55296");
    }
}
