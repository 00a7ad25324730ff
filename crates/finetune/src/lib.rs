//! Repair training on one repair set.
//!
//! [`TwoPass`] is the published objective: a supervised pass over replayed source data and the labels that were bought
//! and spread, then a semi-supervised pass that pulls all views of a field picture to one sharpened answer. With the
//! second pass switched off it is the supervised fine-tune that every baseline uses. [`Matching`] trains on strong views of
//! field pictures towards what an average of the model says to weak ones.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod consistency;
mod error;
mod guard;
mod matching;
mod replay;
mod settings;
mod stream;
mod two_pass;

pub use error::FinetuneError;
pub use guard::{GuardSettings, Watched};
pub use matching::{Kept, KeptData, KeptViews, MatchData, MatchRule, MatchSettings, Matching};
pub use replay::{Replay, ReplayOnly, ReplayTransform};
pub use settings::{ConsistencySettings, RepairSettings};
pub use stream::{Draw, UnlabelledStream};
pub use two_pass::{RepairData, TwoPass};
