use super::{HeadCase, Localized, Localizer};
use crate::PatchError;
use hybridrepair_core::Stream;

/// Weights drawn uniformly without replacement: what localization must beat.
#[derive(Clone, Copy, Debug)]
pub struct Random {
    /// How many.
    pub count: usize,
}

impl Localizer for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn locate(&self, case: &HeadCase<'_>, rng: &mut Stream) -> Result<Vec<Localized>, PatchError> {
        let (classes, dim) = case.head.weight.dim();
        let drawn = rand::seq::index::sample(rng, classes * dim, self.count.min(classes * dim));
        let found = drawn.into_iter().map(|at| {
            let (j, i) = (at / dim, at % dim);
            let value = case.head.weight[[j, i]];
            Localized { weight: case.head.weight_ref(j, Some(i)), grad_loss: 0.0, forward_impact: 0.0, value }
        });
        Ok(found.collect())
    }
}
