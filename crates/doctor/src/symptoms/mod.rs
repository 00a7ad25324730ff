//! What can be seen in readings, one file per symptom. A symptom says what it saw; which of them make a problem is decided
//! by a profile.

mod dying;
mod exploding;
mod improper;
mod non_finite;
mod oscillation;
mod overfit;
mod progress;
mod vanishing;

pub use dying::{dead_layers, zero_entries};
pub use exploding::exploding;
pub use improper::{abnormal_activation, improper_loss, improper_output};
pub use non_finite::non_finite;
pub use oscillation::{Swings, paired_swings, swings};
pub use overfit::overfit;
pub use progress::{largest_gain, still_falling};
pub use vanishing::vanishing;

/// What was seen, in words, where something was.
pub type Sign = Option<String>;
