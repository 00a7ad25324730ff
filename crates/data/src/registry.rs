//! The list of data sets: one line each.

use crate::dataset::Dataset;
use crate::folder::{dataset::FOLDER, gtsrb, manifest::MANIFEST, tiny_imagenet::TINY_IMAGENET};
use crate::{arrays, cifar10, cifar100, mnist, rsna, signs, stl10, svhn};

/// All data sets, in the order in which they are listed.
pub(crate) static DATASETS: &[&Dataset] = &[
    &signs::SIGNS, //
    &cifar10::CIFAR10,
    &cifar100::CIFAR100,
    &svhn::SVHN,
    &stl10::STL10,
    &mnist::MNIST,
    &mnist::FASHION_MNIST,
    &mnist::KMNIST,
    &mnist::EMNIST_DIGITS,
    &gtsrb::GTSRB,
    &gtsrb::GTSRB_TRACKS,
    &TINY_IMAGENET,
    &rsna::RSNA,
    &FOLDER,
    &MANIFEST,
    &arrays::ARRAYS,
];
