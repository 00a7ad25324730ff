use crate::{Grads, ParamLayout, Params};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What an entry is told about a task: no data, no architecture.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSpec {
    /// Name.
    pub name: String,
    /// Names and shapes of the parameters.
    pub layout: Arc<ParamLayout>,
    /// Training examples.
    pub examples: usize,
    /// Examples of the target split, which a probe costs.
    pub target_examples: usize,
    /// A batch size that fits memory for plain methods.
    pub default_batch: usize,
    /// The target loss to get below.
    pub target: f64,
    /// What ends a run.
    pub limits: Limits,
}

/// What ends a run that does not reach its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Work: gradient examples, where an example of a loss or a probe counts a third.
    pub work: f64,
    /// Seconds.
    pub seconds: f64,
    /// Resident memory of the entry's processes, bytes.
    pub memory: u64,
}

/// Names a batch: the same id is the same data, in this run, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BatchId {
    /// The pass over the training data that it belongs to, counted from 0.
    pub epoch: u64,
    /// Its first place in that pass.
    pub start: usize,
    /// Its number of examples.
    pub len: usize,
}

/// With which statistics batch normalisation computes a loss. Neither changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// Those of the batch, as the gradient does.
    Batch,
    /// The running ones, as a probe does.
    Running,
}

/// Why no oracle answers any more. An entry passes it up with `?`; whoever does not gets it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// The target is reached.
    Reached,
    /// Work or time is used up.
    Limit,
    /// The parameters are not finite.
    Diverged,
    /// A question that has no answer: parameters of another layout, a batch that was never drawn.
    Invalid,
    /// The referee is gone.
    Gone,
}

/// A task as an entry sees it: through oracles only.
///
/// Every oracle costs work. All that is handed out is owned by the entry and never changes afterwards.
///
/// # Errors
/// Every method gives [`Stop`] from the moment on at which the run is over.
/// # Errors
/// A call of an oracle ends with a [`Stop`] when the run is over: the target is reached, a limit is passed, or what was asked
/// for does not exist.
#[expect(clippy::missing_errors_doc, reason = "all oracles end alike, as the trait says")]
pub trait Task {
    /// What is known about the task.
    fn spec(&self) -> &TaskSpec;

    /// A copy of the parameters.
    fn params(&self) -> Params;

    /// Replaces the parameters.
    fn set_params(&mut self, params: &Params) -> Result<(), Stop>;

    /// Begins a new pass over the training data, in random order or in the data's own.
    fn epoch(&mut self, shuffle: bool) -> Result<(), Stop>;

    /// The next batch of this pass; where fewer examples than `size` are left, the first of a new, shuffled one.
    /// A size above [`TaskSpec::examples`] is that many.
    fn batch(&mut self, size: usize) -> Result<BatchId, Stop>;

    /// Mean loss of the batch. Leaves the parameters and all statistics as they are. Work: a third per example.
    fn loss(&mut self, batch: BatchId, norm: Norm) -> Result<f64, Stop>;

    /// Mean loss of the batch and its gradient, in training mode: running statistics take note. Work: 1 per example.
    fn grad(&mut self, batch: BatchId) -> Result<(f64, Grads), Stop>;

    /// Mean loss on the target split in evaluation mode; ends the run when it is below the target. Work: a third per
    /// example of that split.
    fn probe(&mut self) -> Result<f64, Stop>;
}
