//! Training on strong views of field pictures towards what the model says to weak ones: `FixMatch` and its heirs.

mod alignment;
mod average;
mod fixmatch;
mod freematch;
mod objective;
mod settings;
mod shows;
mod softmatch;
mod weighting;

pub use objective::{KeptData, MatchData, Matching};
pub use settings::{MatchRule, MatchSettings};
pub use shows::{Kept, KeptViews};
