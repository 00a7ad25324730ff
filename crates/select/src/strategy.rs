use crate::{Estimate, SelectError, Size};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};

/// A rule that chooses which samples of a pool get a label.
pub trait Strategy: Send + Sync {
    /// The name in the registry.
    fn name(&self) -> &str;

    /// All that [`Strategy::select`] looks at, besides the known labels.
    fn needs(&self) -> Needs;

    /// About how much memory and time [`Strategy::select`] takes; unless said otherwise a few passes over the probabilities,
    /// and over the features if it needs them.
    fn cost(&self, size: &Size) -> Estimate {
        let features = if self.needs().contains(Need::Features) { size.features } else { 0 };
        Estimate::linear(size, size.classes + features)
    }

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
