//! The list of data sets: one line each.

use crate::dataset::Dataset;
use crate::{cifar10, signs};

/// All data sets, in the order in which they are listed.
pub(crate) static DATASETS: &[&Dataset] = &[
    &signs::SIGNS, //
    &cifar10::CIFAR10,
];
