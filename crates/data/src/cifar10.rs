//! CIFAR-10, from its official binary version.

use crate::bytes::read_names;
use crate::dataset::{Dataset, Folder};
use crate::published::{Cuts, Plan};
use crate::records::{Records, SIDE, STRIDE};
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
    cuts: Cuts::CIFAR10,
};

/// A label byte, then the planes.
const FORM: Records = Records { labels: 1, class: 0, classes: CLASSES };
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
    let class_names = read_names(&dir.join(NAMES), CLASSES)?;
    let mut data = vec![0u8; FILES.len() * RECORDS * STRIDE];
    let mut labels = vec![ClassId(0); FILES.len() * RECORDS];
    data.par_chunks_mut(RECORDS * STRIDE)
        .zip(labels.par_chunks_mut(RECORDS))
        .zip(FILES)
        .map(|((data, labels), file)| FORM.read(&dir.join(file), data, labels))
        .collect::<Result<Vec<()>, _>>()?;
    Ok(Whole { images: Images::new(data, SIDE, SIDE)?, labels, class_names })
}

/// The folder that holds the files.
fn find(dir: &Path) -> Result<PathBuf, DataError> {
    let files = [&FILES[..], &[NAMES]].concat();
    CIFAR10.find(dir, &files).map_err(|error| {
        if dir.join("data_batch_1").exists() || dir.join("cifar-10-batches-py").exists() {
            CIFAR10.missing(dir, FILES[0], "this is the Python version, which holds pickles; ")
        } else {
            error
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_or_file_says_what_is_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let e = read_cifar10(dir.path()).unwrap_err().to_string();
        assert!(e.contains("data_batch_1.bin not found"), "{e}");
        std::fs::write(dir.path().join("cifar-10-binary.tar.gz"), "archive").unwrap();
        let e = read_cifar10(dir.path()).unwrap_err().to_string();
        assert!(e.contains("; unpack cifar-10-binary.tar.gz there first; the folder"), "{e}");
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
