use crate::SelectError;
use hybridrepair_core::{Evidence, Needs, Pool, Selection, Stream};

/// A rule that chooses which samples of a pool get a label.
pub trait Strategy: Send + Sync {
    /// The name in the registry.
    fn name(&self) -> &str;

    /// All that [`Strategy::select`] looks at, besides the known labels.
    fn needs(&self) -> Needs;

    /// Picks `min(budget, unlabelled samples)` samples, best first, each with its score and the reason in words.
    ///
    /// # Errors
    /// [`SelectError::Needs`] when evidence is missing, [`SelectError::Core`] when it does not fit the pool.
    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError>;
}
