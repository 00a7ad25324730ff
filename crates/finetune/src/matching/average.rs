use hybridrepair_torch::{Model, Tensor, TorchError};

/// A model whose weights and statistics follow another's: an exponential moving average.
#[derive(Debug)]
pub(super) struct Average {
    pub(super) model: Model,
    keep: f64,
}

impl Average {
    /// Begins as a copy.
    ///
    /// # Errors
    /// When libtorch fails.
    pub(super) fn of(model: &Model, keep: f64) -> Result<Self, TorchError> {
        Ok(Self { model: model.duplicate()?, keep })
    }

    /// One step towards `model`.
    pub(super) fn follow(&mut self, model: &Model) {
        tch::no_grad(|| {
            for ((_, mine), (_, now)) in self.model.params().all().zip(model.params().all()) {
                if mine.is_floating_point() {
                    let _ = mine.shallow_clone().lerp_(now, 1.0 - self.keep);
                } else {
                    mine.shallow_clone().copy_(now);
                }
            }
        });
    }

    /// All tensors.
    pub(super) fn state(&self) -> Vec<(String, Tensor)> {
        self.model.params().snapshot()
    }
}
