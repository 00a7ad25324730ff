use super::family::{CLASSES, Member, WRITING};
use crate::dataset::{Dataset, Folder};

/// The digits of EMNIST in a split of our own.
pub(crate) static EMNIST_DIGITS: Dataset = Dataset {
    name: "emnist-digits",
    about: "280,000 handwritten digits; own split",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &["gzip", "EMNIST/raw"],
        holds: "emnist-digits-train-images-idx3-ubyte, emnist-digits-train-labels-idx1-ubyte, \
             emnist-digits-test-images-idx3-ubyte and emnist-digits-test-labels-idx1-ubyte, plain or .gz",
        source: "\"Binary format\" at https://www.nist.gov/itl/products-and-services/emnist-dataset",
    }),
    transform: WRITING,
    load: |dir, options| MEMBER.load(dir, options),
};

pub(super) static MEMBER: Member = Member {
    dataset: &EMNIST_DIGITS,
    parts: [("emnist-digits-train", 240_000), ("emnist-digits-test", 40_000)],
    transposed: true,
    class_names: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
};
