use super::family::{CLASSES, HOLDS, Member, PARTS, WRITING};
use crate::dataset::{Dataset, Folder};

/// MNIST in a split of our own.
pub(crate) static MNIST: Dataset = Dataset {
    name: "mnist",
    about: "handwritten digits; own split",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &["MNIST/raw"],
        holds: HOLDS,
        source: "http://yann.lecun.com/exdb/mnist, mirrored at https://ossci-datasets.s3.amazonaws.com/mnist",
    }),
    transform: WRITING,
    load: |dir, options| MEMBER.load(dir, options),
};

static MEMBER: Member = Member {
    dataset: &MNIST,
    parts: PARTS,
    transposed: false,
    class_names: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
};
