use hybridrepair_core::Stream;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// How a parameter tensor begins; `PyTorch`'s defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Init {
    /// Uniform in +-bound.
    Uniform(f32),
    /// Standard normal.
    Normal,
    /// One value.
    Constant(f32),
}

impl Init {
    /// Uniform in +-1/sqrt(fan in).
    pub(crate) fn fan_in(fan_in: usize) -> Self {
        Self::Uniform(1.0 / (fan_in as f32).sqrt())
    }

    pub(crate) fn draw(self, n: usize, stream: &mut Stream) -> Vec<f32> {
        match self {
            Self::Uniform(bound) => (0..n).map(|_| stream.gen_range(-bound..=bound)).collect(),
            Self::Normal => (0..n).map(|_| StandardNormal.sample(stream)).collect(),
            Self::Constant(value) => vec![value; n],
        }
    }
}

/// A parameter tensor of a layer.
pub(crate) struct Tensor {
    pub(crate) name: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) init: Init,
}

/// Where batch normalisation takes its statistics from.
pub(crate) enum Statistics<'a> {
    /// The batch; the running ones stay as they are.
    Batch,
    /// The batch, and the running ones take note.
    Noted(&'a mut [f32]),
    /// The running ones.
    Running(&'a [f32]),
}

/// What a layer remembers from its forward pass for the backward one.
pub(crate) type Memory = Vec<Vec<f32>>;

/// A layer on row-major matrices. What a row is (an example, a cell of a picture, a step of a sequence) is the layers'
/// agreement; the number of examples says how many rows there are.
pub(crate) trait Layer: Send + Sync {
    /// Its parameter tensors.
    fn tensors(&self) -> Vec<Tensor> {
        Vec::new()
    }

    /// Initial running statistics.
    fn statistics(&self) -> Vec<f32> {
        Vec::new()
    }

    /// Output and what the backward pass needs, for `n` examples. `statistics` are this layer's.
    fn forward(&self, params: &[f32], x: Vec<f32>, n: usize, statistics: Statistics<'_>) -> (Vec<f32>, Memory);

    /// Gradient of the input; adds that of the parameters to `grads`. `want` says whether the input's is needed.
    fn backward(
        &self,
        params: &[f32],
        memory: &Memory,
        dy: Vec<f32>,
        n: usize,
        grads: &mut [f32],
        want: bool,
    ) -> Vec<f32>;
}
