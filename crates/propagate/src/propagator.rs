use crate::PropagateError;
use hybridrepair_core::{Embeddings, LabelSet, Regions, Selection};

/// A way to spread bought labels over a pool.
///
/// In the result bought labels keep [`Provenance::Bought`](hybridrepair_core::Provenance::Bought) and their weight, all
/// others are `Propagated`. No labels bought gives no labels.
pub trait Propagator: Send + Sync {
    /// The name in recipes.
    fn name(&self) -> &'static str;

    /// Labels for the pool from the labels `bought` for the picks of `selection`.
    ///
    /// A pick without a bought label (the annotator could not tell) spreads nothing; a bought label without a pick
    /// (from an earlier round) spreads as if it had been picked without a region.
    ///
    /// # Errors
    /// When something needed is missing or does not fit.
    fn propagate(
        &self,
        bought: &LabelSet,
        selection: &Selection,
        regions: Option<&Regions>,
        x: Option<&Embeddings>,
    ) -> Result<LabelSet, PropagateError>;
}
