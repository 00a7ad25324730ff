//! CIFAR-100, from its official binary version, with its fine labels.

use crate::bytes::read_names;
use crate::dataset::{Dataset, Folder};
use crate::published::{Cuts, Plan};
use crate::records::{Records, SIDE, STRIDE};
use crate::{DataError, Images, Normalization, TrainTransform, Whole};
use hybridrepair_core::ClassId;
use std::path::Path;

/// CIFAR-100 in a split of our own: shuffled, then the ranges of CIFAR-10. Sample ids are rows of the 50,000 training
/// pictures followed by the 10,000 test pictures.
pub(crate) static CIFAR100: Dataset = Dataset {
    name: "cifar100",
    about: "photographs of 100 kinds of things; own split, sizes of cifar10's",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &["cifar-100-binary"],
        holds: "train.bin, test.bin and fine_label_names.txt",
        source: "\"CIFAR-100 binary version (suitable for C programs)\" at https://www.cs.toronto.edu/~kriz/cifar.html",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| PLAN.cut_shuffled(read_cifar100(dir)?, &options.published),
};

const PLAN: Plan = Plan {
    name: CIFAR100.name,
    // channel statistics of the 50,000 training pictures
    normalization: Normalization { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
    cuts: Cuts::CIFAR10,
};

/// The coarse label, the fine label, then the planes.
const FORM: Records = Records { labels: 2, class: 1, classes: CLASSES };
/// Number of fine classes.
const CLASSES: usize = 100;
/// Training pictures.
const TRAIN: usize = 50_000;
/// Test pictures.
const TEST: usize = 10_000;
/// The files.
const FILES: [&str; 3] = ["train.bin", "test.bin", "fine_label_names.txt"];

/// Reads `train.bin` and `test.bin` of `dir`, or of `dir/cifar-100-binary`: all pictures in file order with fine labels.
///
/// # Errors
/// When the folder or a file is missing, a file is not as many records long as the official one, or a label is above 99.
pub fn read_cifar100(dir: &Path) -> Result<Whole, DataError> {
    let [train, test, names] = FILES;
    let found = CIFAR100.find(dir, &FILES).map_err(|error| {
        if dir.join("cifar-100-python").exists() || dir.join("train").is_file() {
            CIFAR100.missing(dir, train, "this is the Python version, which holds pickles; ")
        } else {
            error
        }
    })?;
    let class_names = read_names(&found.join(names), CLASSES)?;
    let mut data = vec![0u8; (TRAIN + TEST) * STRIDE];
    let mut labels = vec![ClassId(0); TRAIN + TEST];
    let (train_data, test_data) = data.split_at_mut(TRAIN * STRIDE);
    let (train_labels, test_labels) = labels.split_at_mut(TRAIN);
    FORM.read(&found.join(train), train_data, train_labels)?;
    FORM.read(&found.join(test), test_data, test_labels)?;
    Ok(Whole { images: Images::new(data, SIDE, SIDE)?, labels, class_names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_python_version_and_short_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let e = || read_cifar100(dir.path()).unwrap_err().to_string();
        assert!(e().contains("train.bin not found; the folder (or its cifar-100-binary/)"), "{}", e());
        std::fs::create_dir(dir.path().join("cifar-100-python")).unwrap();
        assert!(e().contains("this is the Python version"), "{}", e());
        for file in FILES {
            std::fs::write(dir.path().join(file), "apple\n").unwrap();
        }
        assert!(e().ends_with("fine_label_names.txt: 1 class names, expected 100"), "{}", e());
        std::fs::write(dir.path().join(FILES[2]), "name\n".repeat(100)).unwrap();
        assert!(e().ends_with("train.bin: 6 bytes, expected 153700000 (50000 records of 3074 bytes)"), "{}", e());
    }
}
