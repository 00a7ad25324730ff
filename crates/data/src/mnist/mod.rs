//! The MNIST family: grey pictures of 28 x 28 in idx files, ten classes each.

mod digits;
mod emnist;
mod family;
mod fashion;
mod kmnist;

pub(crate) use digits::MNIST;
pub(crate) use emnist::EMNIST_DIGITS;
pub use family::read_mnist_part;
pub(crate) use fashion::FASHION_MNIST;
pub(crate) use kmnist::KMNIST;
