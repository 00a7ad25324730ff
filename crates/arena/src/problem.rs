use crate::{Norm, ParamLayout};
use hybridrepair_core::Streams;
use std::sync::Arc;

/// A split that judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Decides whether the target is reached.
    Target,
    /// Tells afterwards whether the target was reached by looking too often.
    Holdout,
}

/// Which training examples: rows of the training data, and the pass in which they are met.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// Rows.
    pub rows: &'a [usize],
    /// The pass: augmentation draws by it, so that a batch is the same whenever it is asked for.
    pub epoch: u64,
}

/// A model with its data: what stands behind a [`Task`](crate::Task). Keeps no accounts.
///
/// Parameters come in as flat `f32`, losses go out as `f64`; a loss or a judgement may be infinite or NaN.
pub trait Problem {
    /// Names and shapes of the parameters.
    fn layout(&self) -> &Arc<ParamLayout>;

    /// Training examples, examples of the target split, default batch size.
    fn sizes(&self) -> Sizes;

    /// Initial parameters of a run; also forgets the running statistics of an earlier one.
    fn begin(&mut self, streams: Streams) -> Vec<f32>;

    /// Mean training loss; changes nothing.
    fn loss(&self, params: &[f32], examples: Examples<'_>, norm: Norm) -> f64;

    /// Mean training loss and gradient; running statistics take note.
    fn grad(&mut self, params: &[f32], examples: Examples<'_>) -> (f64, Vec<f32>);

    /// Mean loss on a split that judges, in evaluation mode; changes nothing.
    fn judge(&self, params: &[f32], part: Part) -> f64;
}

/// Sizes of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Training examples.
    pub examples: usize,
    /// Examples of the target split.
    pub target: usize,
    /// A batch size that fits.
    pub batch: usize,
}
