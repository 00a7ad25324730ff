//! CIFAR-10, from its official binary version.

use crate::dataset::{Dataset, Folder};
use crate::published::{Cuts, Plan};
use crate::{DataError, Images, Normalization, TrainTransform, Whole};
use hybridrepair_core::ClassId;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// CIFAR-10 in its published split: 11,250 training and 3,750 validation pictures in draw order, a holdout of 5,000 and
/// a field pool of 35,000. Sample ids are rows of the 50,000 training pictures followed by the 10,000 test pictures.
pub(crate) static CIFAR10: Dataset = Dataset {
    name: "cifar10",
    about: "photographs of 10 kinds of things; published split",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &["cifar-10-batches-bin"],
        holds: "data_batch_1.bin to data_batch_5.bin, test_batch.bin and batches.meta.txt",
        source: "\"CIFAR-10 binary version (suitable for C programs)\" at https://www.cs.toronto.edu/~kriz/cifar.html",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| PLAN.cut(read_cifar10(dir)?, &options.published),
};

const PLAN: Plan = Plan {
    name: CIFAR10.name,
    normalization: Normalization {
        mean: [125.3 / 255.0, 123.0 / 255.0, 113.9 / 255.0],
        std: [63.0 / 255.0, 62.1 / 255.0, 66.7 / 255.0],
    },
    cuts: Cuts {
        train: (0..15_000, 0.75),
        val: (15_000..20_000, 0.75),
        holdout: 20_000..25_000,
        field: 25_000..60_000,
    },
};

/// Rows and columns of a picture.
const SIDE: usize = 32;
/// Pixels of a picture.
const PLANE: usize = SIDE * SIDE;
/// A label byte, then the red, the green and the blue plane.
const RECORD: usize = 1 + 3 * PLANE;
/// Pictures of a file.
const RECORDS: usize = 10_000;
/// Number of classes.
const CLASSES: usize = 10;

/// The files of the training set, then the test set.
const FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];
/// The file with the names of the classes.
const NAMES: &str = "batches.meta.txt";

/// Reads the six files of `dir`, or of `dir/cifar-10-batches-bin`.
///
/// # Errors
/// When the folder or a file is missing, a file is no 10,000 records long, or a label is above 9.
pub fn read_cifar10(dir: &Path) -> Result<Whole, DataError> {
    let dir = find(dir)?;
    let class_names = read_names(&dir.join(NAMES))?;
    let stride = 3 * PLANE;
    let mut data = vec![0u8; FILES.len() * RECORDS * stride];
    let mut labels = vec![ClassId(0); FILES.len() * RECORDS];
    data.par_chunks_mut(RECORDS * stride)
        .zip(labels.par_chunks_mut(RECORDS))
        .zip(FILES)
        .map(|((data, labels), file)| read_batch(&dir.join(file), data, labels))
        .collect::<Result<Vec<()>, _>>()?;
    Ok(Whole { images: Images::new(data, SIDE, SIDE)?, labels, class_names })
}

/// The folder that holds the files.
fn find(dir: &Path) -> Result<PathBuf, DataError> {
    let files = [&FILES[..], &[NAMES]].concat();
    CIFAR10.find(dir, &files).map_err(|error| {
        if dir.join("data_batch_1").exists() || dir.join("cifar-10-batches-py").exists() {
            CIFAR10.missing(dir, FILES[0], "this is the Python version, which holds pickles; ")
        } else if dir.join("cifar-10-binary.tar.gz").exists() {
            CIFAR10.missing(dir, FILES[0], "unpack cifar-10-binary.tar.gz there first; ")
        } else {
            error
        }
    })
}

fn read_names(path: &Path) -> Result<Vec<String>, DataError> {
    let text = std::fs::read_to_string(path).map_err(DataError::io(path))?;
    let names: Vec<String> = text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
    if names.len() == CLASSES {
        return Ok(names);
    }
    Err(DataError::Format { path: path.to_owned(), why: format!("{} class names, expected {CLASSES}", names.len()) })
}

/// Reads as many records as there are labels into `data`, turning planes into pixels.
fn read_batch(path: &Path, data: &mut [u8], labels: &mut [ClassId]) -> Result<(), DataError> {
    let expected = (labels.len() * RECORD) as u64;
    let bytes = std::fs::metadata(path).map_err(DataError::io(path))?.len();
    let wrong_size = |bytes| {
        let what = format!("{} records of {RECORD} bytes", labels.len());
        DataError::Size { path: path.to_owned(), bytes, expected, what }
    };
    if bytes != expected {
        return Err(wrong_size(bytes));
    }
    let content = std::fs::read(path).map_err(DataError::io(path))?;
    // the file may have changed in between
    if content.len() as u64 != expected {
        return Err(wrong_size(content.len() as u64));
    }
    let records = content.chunks_exact(RECORD).zip(data.chunks_exact_mut(3 * PLANE)).zip(labels).enumerate();
    for (record, ((bytes, picture), label)) in records {
        let class = usize::from(bytes[0]);
        if class >= CLASSES {
            return Err(DataError::Label { path: path.to_owned(), record, label: class, classes: CLASSES });
        }
        *label = ClassId::from(class);
        let (red, rest) = bytes[1..].split_at(PLANE);
        let (green, blue) = rest.split_at(PLANE);
        for (pixel, ((&r, &g), &b)) in picture.as_chunks_mut::<3>().0.iter_mut().zip(red.iter().zip(green).zip(blue)) {
            *pixel = [r, g, b];
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(n: usize) -> Vec<u8> {
        (0..n * RECORD).map(|i| if i % RECORD == 0 { (i / RECORD % 10) as u8 } else { (i * 7 % 256) as u8 }).collect()
    }

    #[test]
    fn planes_become_pixels() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.bin");
        let bytes = records(3);
        std::fs::write(&path, &bytes).unwrap();
        let (mut data, mut labels) = (vec![0; 3 * 3072], [ClassId(9); 3]);
        read_batch(&path, &mut data, &mut labels).unwrap();
        assert_eq!(labels, [ClassId(0), ClassId(1), ClassId(2)]);
        for (record, y, x, c) in [(0, 0, 0, 0), (1, 31, 31, 2), (2, 7, 19, 1), (2, 0, 1, 2)] {
            let planar = record * RECORD + 1 + c * PLANE + y * 32 + x;
            assert_eq!(data[record * 3072 + (y * 32 + x) * 3 + c], bytes[planar]);
        }
    }

    #[test]
    fn a_file_cut_short_and_a_label_too_high_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.bin");
        let (mut data, mut labels) = (vec![0; 3 * 3072], [ClassId(9); 3]);
        let mut bytes = records(3);
        for n in [0, 1, RECORD * 2, RECORD * 3 - 1, RECORD * 3 + 1] {
            std::fs::write(&path, &[&bytes[..], &[0]].concat()[..n]).unwrap();
            let e = read_batch(&path, &mut data, &mut labels).unwrap_err();
            assert!(e.to_string().contains(&format!("{n} bytes, expected 9219 (3 records of 3073 bytes)")), "{e}");
        }
        bytes[RECORD] = 10;
        std::fs::write(&path, &bytes).unwrap();
        let e = read_batch(&path, &mut data, &mut labels).unwrap_err();
        assert!(e.to_string().ends_with("record 1 has label 10, outside the 10 classes"), "{e}");
    }

    #[test]
    fn a_missing_folder_or_file_says_what_is_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let e = read_cifar10(dir.path()).unwrap_err().to_string();
        assert!(e.contains("data_batch_1.bin not found"), "{e}");
        std::fs::write(dir.path().join("data_batch_1"), "pickle").unwrap();
        let e = read_cifar10(dir.path()).unwrap_err().to_string();
        assert!(e.contains("this is the Python version"), "{e}");
        let inner = dir.path().join("cifar-10-batches-bin");
        std::fs::create_dir(&inner).unwrap();
        for f in FILES {
            std::fs::write(inner.join(f), "").unwrap();
        }
        std::fs::write(inner.join(NAMES), "a\nb\n").unwrap();
        let e = read_cifar10(dir.path()).unwrap_err().to_string();
        assert!(e.contains("2 class names, expected 10"), "{e}");
        std::fs::write(inner.join(NAMES), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n").unwrap();
        let e = read_cifar10(dir.path()).unwrap_err().to_string();
        assert!(e.contains("data_batch_1.bin: 0 bytes, expected 30730000"), "{e}");
    }
}
