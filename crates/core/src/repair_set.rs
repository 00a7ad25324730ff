use crate::{CoreError, LabelSet, PoolIdx};

/// A pool sample with the class distribution that training should pull it to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The sample.
    pub idx: PoolIdx,
    /// Probability of being drawn, relative to the others.
    pub weight: f32,
}

/// All that repair training takes from the field: labels with provenance and weights, and weighted unlabelled samples.
///
/// The third part, replay of the source data, is chosen by the model itself and therefore by the trainer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepairSet {
    /// Bought, propagated and pseudo labels.
    pub labels: LabelSet,
    /// Samples for the consistency part, without labels; weight 0 leaves a sample out.
    pub unlabelled: Vec<Target>,
}

impl RepairSet {
    /// Checks rows against a pool of `n` samples and weights for being finite and not negative.
    ///
    /// # Errors
    /// Names the first offender.
    pub fn check(&self, n: usize) -> Result<(), CoreError> {
        let labels = self.labels.iter().map(|l| (l.idx, l.weight));
        for (idx, weight) in labels.chain(self.unlabelled.iter().map(|t| (t.idx, t.weight))) {
            if idx.row() >= n {
                return Err(CoreError::OutsidePool { idx, len: n });
            }
            if !weight.is_finite() || weight < 0.0 {
                return Err(CoreError::NotFinite { what: "weights", row: idx.row(), col: 0, value: weight });
            }
        }
        Ok(())
    }
}
