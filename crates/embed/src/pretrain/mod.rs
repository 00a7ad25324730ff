//! Self-supervised training of an extractor: two random views of each picture shall be alike, and unlike all others.

mod loss;
mod moco;
mod momentum;
mod pairs;
mod settings;
mod simclr;
mod views;

/// Name of the reading that tells a collapse: the spread of the last batch's embeddings, 0 when all pictures look alike.
pub const BATCH_SPREAD: &str = "batch_spread";

pub use loss::{contrastive, moco_loss};
pub use moco::MocoV3;
pub use pairs::{PairData, Pictures};
pub use settings::{Beginning, Learning, SelfSupervision, learner};
pub use simclr::SimClr;
pub use views::ViewSettings;
