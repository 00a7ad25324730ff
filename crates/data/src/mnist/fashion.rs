use super::family::{CLASSES, HOLDS, Member, PARTS};
use crate::TrainTransform;
use crate::dataset::{Dataset, Folder};

/// Fashion-MNIST in a split of our own.
pub(crate) static FASHION_MNIST: Dataset = Dataset {
    name: "fashion-mnist",
    about: "articles of clothing in grey; own split",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &["FashionMNIST/raw"],
        holds: HOLDS,
        source: "https://github.com/zalandoresearch/fashion-mnist",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| MEMBER.load(dir, options),
};

pub(super) static MEMBER: Member = Member {
    dataset: &FASHION_MNIST,
    parts: PARTS,
    transposed: false,
    class_names: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
};
