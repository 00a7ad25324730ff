//! Training on strong views of field pictures towards what the model says to weak ones: `FixMatch` and its heirs.

mod alignment;
mod average;
mod fixmatch;
mod freematch;
mod objective;
mod settings;
mod softmatch;
mod weighting;

pub use objective::{MatchData, Matching};
pub use settings::{MatchRule, MatchSettings};
