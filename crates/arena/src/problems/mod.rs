//! What the tasks are made of: data and nets.

mod chain;
mod dataset;
mod pictures;
mod points;
mod quadratic;
mod supervised;
mod words;

pub(crate) use chain::{STEPS, SYMBOLS, chain};
pub(crate) use dataset::Splits;
pub(crate) use pictures::{SIDE, pictures};
pub(crate) use points::{blob, circle};
pub use quadratic::Quadratic;
pub(crate) use supervised::Supervised;
pub(crate) use words::Words;
