//! The stages of a repair, one file each; every one is a function from what is there to what it adds.

mod annotate;
mod cached;
mod cluster;
mod describe;
mod embed;
mod evaluate;
mod finetune;
mod guard;
mod lesson;
mod propagate;
mod quality;
mod replay;
mod score;
mod select;
mod threshold;
mod trunk;
mod tune;
mod watch;
mod zero_label;

pub use annotate::{Bought, annotate};
pub use cluster::cluster;
pub use describe::describe;
pub use embed::{embed, source_embeddings};
pub use evaluate::{Evaluation, evaluate};
pub use finetune::{Repaired, Taught, finetune};
pub use guard::believe;
pub use propagate::propagate;
pub use quality::quality;
pub use replay::replay;
pub use score::score;
pub use select::{random_share, select};
pub use threshold::threshold;
pub use trunk::{Behind, trunk};
pub use tune::tune;
pub use zero_label::zero_label;
