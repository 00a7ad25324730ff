use crate::{Model, Output, TorchError, nhwc_tensor};
use hybridrepair_core::{ClassId, Embeddings, Probs};
use hybridrepair_data::{Images, Normalizer};
use ndarray::Array2;
use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

/// Most pictures per forward pass; fixed, so that results do not depend on the number of threads.
pub(crate) const BATCH: usize = 128;

/// Pictures per forward pass at this size: fewer of large ones, so that their activations stay some hundred MiB a thread.
pub(crate) fn batch_for((height, width): (usize, usize)) -> usize {
    (BATCH * 64 * 64 / (height * width).max(1)).clamp(8, BATCH)
}

/// Logits and penultimate features of some pictures.
#[derive(Clone, Debug)]
pub struct Predictions {
    /// `n x C`.
    pub logits: Array2<f32>,
    /// `n x D`.
    pub features: Array2<f32>,
}

impl Predictions {
    /// The class of the largest logit of each picture, the first on ties.
    pub fn classes(&self) -> Vec<ClassId> {
        self.logits
            .outer_iter()
            .map(|z| ClassId::from((1..z.len()).fold(0, |best, c| if z[c] > z[best] { c } else { best })))
            .collect()
    }

    /// Softmax of the logits.
    ///
    /// # Errors
    /// When a logit is not finite.
    pub fn probs(&self) -> Result<Probs, TorchError> {
        Ok(Probs::from_logits(&self.logits)?)
    }

    /// The penultimate features.
    ///
    /// # Errors
    /// When a feature is not finite.
    pub fn features(&self) -> Result<Embeddings, TorchError> {
        Ok(Embeddings::new(self.features.clone())?)
    }
}

/// Predicts all pictures with the test transform, in eval mode and without gradients.
///
/// # Errors
/// When libtorch fails, for instance for want of memory.
pub fn predict(model: &Model, images: &Images, normalizer: &Normalizer) -> Result<Predictions, TorchError> {
    let rows = (0..images.len()).collect::<Vec<_>>();
    predict_rows(model, images, normalizer, &rows)
}

/// As [`predict`], for some rows only.
///
/// # Errors
/// As [`predict`].
pub fn predict_rows(
    model: &Model,
    images: &Images,
    normalizer: &Normalizer,
    rows: &[usize],
) -> Result<Predictions, TorchError> {
    let size = (images.height(), images.width());
    predict_with(model, rows.len(), size, |i, out| normalizer.apply(images.get(rows[i]), out))
}

/// Predicts `n` pictures that `fill` writes, each `height x width x 3` normalised numbers, in eval mode.
///
/// # Errors
/// As [`predict`].
pub fn predict_with(
    model: &Model,
    n: usize,
    (height, width): (usize, usize),
    fill: impl Fn(usize, &mut [f32]) + Sync,
) -> Result<Predictions, TorchError> {
    let stride = height * width * Images::CHANNELS;
    let parts = in_batches(model, n, batch_for((height, width)), |model, range| {
        let mut pixels = vec![0f32; range.len() * stride];
        for (out, i) in pixels.chunks_exact_mut(stride).zip(range) {
            fill(i, out);
        }
        let out = model.forward(&nhwc_tensor(&pixels, height, width, model.device()));
        (to_vec(&out.logits), to_vec(&out.features))
    });
    let (classes, features) = (model.spec().classes, model.feature_dim());
    let mut logits = Vec::with_capacity(n * classes);
    let mut latent = Vec::with_capacity(n * features);
    for (z, h) in parts {
        logits.extend_from_slice(&z);
        latent.extend_from_slice(&h);
    }
    Ok(Predictions { logits: array(logits, n, classes), features: array(latent, n, features) })
}

/// Runs `work` on ranges of at most `batch` rows without gradients and returns the parts in order.
///
/// On a CPU the batches run side by side, each on one thread: faster than one batch on all threads, and bit-equal for
/// any number of them. On a GPU they run one after the other.
pub(crate) fn in_batches<T: Send>(
    model: &Model,
    n: usize,
    batch: usize,
    work: impl Fn(EvalModel<'_>, std::ops::Range<usize>) -> T + Sync,
) -> Vec<T> {
    let ranges = (0..n).step_by(batch).map(|start| start..(start + batch).min(n)).collect::<Vec<_>>();
    let shared = EvalModel(model);
    if model.device() != Device::Cpu {
        return tch::no_grad(|| ranges.into_iter().map(|range| work(shared, range)).collect());
    }
    let before = tch::get_num_threads();
    let parts = ranges
        .into_par_iter()
        .map(|range| {
            // per thread in libtorch's OpenMP build: this worker's operators stay on this worker
            tch::set_num_threads(1);
            tch::no_grad(|| work(shared, range))
        })
        .collect();
    tch::set_num_threads(before);
    parts
}

/// A model that several threads may ask at once, in eval mode only.
#[derive(Clone, Copy)]
pub(crate) struct EvalModel<'a>(&'a Model);

#[expect(unsafe_code, reason = "tch marks tensors as Send but not as Sync")]
// SAFETY: in eval mode `forward` only reads the model's tensors. libtorch counts references atomically and allows
// concurrent reads; the borrow keeps everybody from writing meanwhile.
unsafe impl Sync for EvalModel<'_> {}
#[expect(unsafe_code, reason = "as above")]
// SAFETY: as above; a copy of the reference may be used on any thread.
unsafe impl Send for EvalModel<'_> {}

impl EvalModel<'_> {
    pub(crate) fn forward(self, x: &Tensor) -> Output {
        self.0.forward(x, false)
    }

    pub(crate) fn prefix(self, x: &Tensor, upto: usize) -> Tensor {
        self.0.prefix(x, upto)
    }

    pub(crate) fn device(self) -> Device {
        self.0.device()
    }
}

/// A tensor of any device as plain numbers in row order.
pub(crate) fn to_vec(t: &Tensor) -> Vec<f32> {
    let t = t.to_device(Device::Cpu).to_kind(Kind::Float).contiguous();
    let mut out = vec![0f32; t.numel()];
    t.copy_data(&mut out, t.numel());
    out
}

fn array(data: Vec<f32>, rows: usize, cols: usize) -> Array2<f32> {
    Array2::from_shape_vec((rows, cols), data).expect("as many numbers as rows and columns")
}
