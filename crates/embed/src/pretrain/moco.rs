use super::{BATCH_SPREAD, PairData, loss::batch_spread, moco_loss, momentum::Momentum};
use hybridrepair_torch::{Mlp, Model, Tensor};
use hybridrepair_train::{At, Objective, StepLoss, TrainError};

/// `MoCo` v3 (Chen, Xie and He 2021): queries of one view, through encoder, projector and predictor, shall find the keys of
/// the other view, through an encoder and projector that follow slowly; both ways, in one batch, without a queue.
#[derive(Debug)]
pub struct MocoV3 {
    data: PairData,
    projector: Mlp,
    predictor: Mlp,
    temperature: f64,
    /// Share that the slow encoder keeps at the first step; it goes to 1 on half a cosine.
    keep: f64,
    epochs: usize,
    slow: Option<Momentum>,
    /// Queries of the last batch.
    last: Option<Tensor>,
}

impl MocoV3 {
    /// Prepares training over `epochs`; both heads belong to the model that will be trained.
    pub fn new(data: PairData, (projector, predictor): (Mlp, Mlp), temperature: f64, keep: f64, epochs: usize) -> Self {
        Self { data, projector, predictor, temperature, keep, epochs, slow: None, last: None }
    }

    /// What the slow encoder keeps at a moment of the run.
    fn keep_at(&self, at: At) -> f64 {
        let now = at.epoch as f64 + at.step as f64 / self.data.steps().max(1) as f64;
        let share = (now / self.epochs.max(1) as f64).min(1.0);
        1.0 - 0.5 * (1.0 + (std::f64::consts::PI * share).cos()) * (1.0 - self.keep)
    }

    fn slow(&mut self, model: &Model) -> Result<&Momentum, TrainError> {
        if self.slow.is_none() {
            self.slow = Some(Momentum::of(model)?);
        }
        self.slow.as_ref().ok_or_else(|| TrainError::Empty("no momentum encoder".to_owned()))
    }

    /// The loss of two views of a batch; the slow encoder first takes a step towards the model.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn loss(&mut self, model: &Model, (one, two): (&Tensor, &Tensor), keep: f64) -> Result<Tensor, TrainError> {
        let query = |x: &Tensor| {
            let z = self.projector.forward(&model.forward(x, true).features, true);
            self.predictor.forward(&z, true)
        };
        let (q1, q2) = (query(one), query(two));
        self.last = Some(q1.detach());
        let slow = self.slow(model)?;
        slow.follow(model, keep);
        let (k1, k2) = (slow.keys(one), slow.keys(two));
        Ok(moco_loss(&q1, &k2, self.temperature) + moco_loss(&q2, &k1, self.temperature))
    }
}

impl Objective for MocoV3 {
    fn name(&self) -> &'static str {
        "mocov3"
    }

    fn begin_epoch(&mut self, model: &Model, epoch: usize) -> Result<(), TrainError> {
        self.slow(model)?;
        self.data.begin_epoch(epoch);
        Ok(())
    }

    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        let Some((rows, one, two)) = self.data.pair(at) else { return Ok(None) };
        let images = 2 * rows.len() as u64;
        let keep = self.keep_at(at);
        let loss = self.loss(model, (&one, &two), keep)?;
        Ok(Some(StepLoss { loss, images_trained: images, images_forward: images }))
    }

    fn planned_steps(&self) -> usize {
        self.data.steps()
    }

    fn end_epoch(&mut self, _: &Model, _: usize) -> Result<Vec<(String, f64)>, TrainError> {
        Ok(self.last.iter().map(|z| (BATCH_SPREAD.to_owned(), batch_spread(z))).collect())
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.slow.as_ref().map(Momentum::state).unwrap_or_default()
    }

    fn load_state(&mut self, state: &[(String, Tensor)], model: &Model) -> Result<(), TrainError> {
        let slow = Momentum::of(model)?;
        slow.restore(state)?;
        self.slow = Some(slow);
        Ok(())
    }
}
