use super::{BATCH_SPREAD, PairData, contrastive, loss::batch_spread};
use hybridrepair_core::ClassId;
use hybridrepair_torch::{Mlp, Model, Tensor};
use hybridrepair_train::{At, Objective, StepLoss, TrainError};

/// `SimCLR` (Chen et al. 2020): both views of a batch go through the network together, and each shall find its partner
/// among all others. The cheapest of its family: no second network.
#[derive(Debug)]
pub struct SimClr {
    data: PairData,
    projector: Mlp,
    temperature: f64,
    decoupled: bool,
    known: Vec<Option<ClassId>>,
    /// Embeddings of the last batch.
    last: Option<Tensor>,
}

impl SimClr {
    /// Prepares training; `projector` belongs to the model that will be trained.
    pub fn new(data: PairData, projector: Mlp, temperature: f64, decoupled: bool) -> Self {
        Self { data, projector, temperature, decoupled, known: Vec::new(), last: None }
    }

    /// Pictures of the same known class are alike too. `known` has a class or none for each picture, in their order.
    #[must_use]
    pub fn with_known(mut self, known: Vec<Option<ClassId>>) -> Self {
        self.known = known;
        self
    }

    /// Which rows of a batch are alike: those of a known class, else only the two views of a picture.
    fn groups(&self, rows: &[usize]) -> Vec<i64> {
        let one = rows.iter().map(|&row| match self.known.get(row).copied().flatten() {
            Some(class) => i64::from(class.0),
            None => (1 << 32) + row as i64,
        });
        let one = one.collect::<Vec<_>>();
        [one.as_slice(), one.as_slice()].concat()
    }
}

impl Objective for SimClr {
    fn name(&self) -> &'static str {
        "simclr"
    }

    fn begin_epoch(&mut self, _: &Model, epoch: usize) -> Result<(), TrainError> {
        self.data.begin_epoch(epoch);
        Ok(())
    }

    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        let Some((rows, one, two)) = self.data.pair(at) else { return Ok(None) };
        let x = Tensor::cat(&[one, two], 0);
        let z = self.projector.forward(&model.forward(&x, true).features, true);
        self.last = Some(z.detach());
        let loss = contrastive(&z, &self.groups(rows), self.temperature, self.decoupled);
        Ok(Some(StepLoss { loss, images_trained: 2 * rows.len() as u64, images_forward: 0 }))
    }

    fn planned_steps(&self) -> usize {
        self.data.steps()
    }

    fn end_epoch(&mut self, _: &Model, _: usize) -> Result<Vec<(String, f64)>, TrainError> {
        Ok(self.last.iter().map(|z| (BATCH_SPREAD.to_owned(), batch_spread(z))).collect())
    }
}
