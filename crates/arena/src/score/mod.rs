//! From finished runs to a ranking.

mod clock;
mod numbers;
mod table;

pub use clock::{Clock, FAILURE_CHARGE};
pub use numbers::{harmonic_mean, median, profile};
pub use table::{Score, Scores};
