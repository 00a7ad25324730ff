use hybridrepair_torch::{Mlp, Model, Tensor, TorchError};

/// A network whose weights follow another's; its batch-norm statistics are its own (`MoCo`'s momentum encoder).
#[derive(Debug)]
pub(super) struct Momentum {
    model: Model,
    projector: Mlp,
}

/// What the projector's tensors are called in a model.
pub(super) const PROJECTOR: &str = "projector";

impl Momentum {
    /// Begins as a copy of the model and of its projector.
    pub(super) fn of(model: &Model) -> Result<Self, TorchError> {
        let mut twin = model.duplicate()?;
        let prefix = format!("{PROJECTOR}.");
        let values = model.params().snapshot().into_iter();
        let head = values.filter_map(|(n, t)| Some((n.strip_prefix(&prefix)?.to_owned(), t))).collect::<Vec<_>>();
        let projector = Mlp::of_tensors(&mut twin, PROJECTOR, &head)?;
        Ok(Self { model: twin, projector })
    }

    /// One step towards `model`, of which `keep` is left out. Statistics stay.
    pub(super) fn follow(&self, model: &Model, keep: f64) {
        tch::no_grad(|| {
            // the model has a predictor beside what is here, after it
            for ((_, mine), (_, now)) in self.model.params().trained().zip(model.params().trained()) {
                let _ = mine.shallow_clone().g_mul_scalar_(keep).g_add_(&(now * (1.0 - keep)));
            }
        });
    }

    /// Keys of a batch: in train mode, without gradients.
    pub(super) fn keys(&self, x: &Tensor) -> Tensor {
        tch::no_grad(|| self.projector.forward(&self.model.forward(x, true).features, true))
    }

    pub(super) fn state(&self) -> Vec<(String, Tensor)> {
        self.model.params().snapshot()
    }

    pub(super) fn restore(&self, values: &[(String, Tensor)]) -> Result<(), TorchError> {
        self.model.params().restore(values)
    }
}
