use super::family::{CLASSES, HOLDS, Member, PARTS, WRITING};
use crate::dataset::{Dataset, Folder};

/// Kuzushiji-MNIST in a split of our own.
pub(crate) static KMNIST: Dataset = Dataset {
    name: "kmnist",
    about: "cursive Japanese letters; own split",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &["KMNIST/raw"],
        holds: HOLDS,
        source: "\"Kuzushiji-MNIST\" at http://codh.rois.ac.jp/kmnist",
    }),
    transform: WRITING,
    load: |dir, options| MEMBER.load(dir, options),
};

static MEMBER: Member = Member {
    dataset: &KMNIST,
    parts: PARTS,
    transposed: false,
    class_names: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
};
