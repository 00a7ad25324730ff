//! Test-time augmentation: what a model says to several views of each picture.

use crate::{
    Model, TorchError, nhwc_tensor,
    predict::{BATCH, batch_for, in_batches, to_vec},
};
use hybridrepair_core::Views;
use hybridrepair_data::ViewMaker;
use ndarray::{Array1, Array2, ArrayView2};

/// One pass over the views of some rows.
#[derive(Clone, Debug)]
pub struct ViewPass {
    /// Mean, entropy and variance over the views.
    pub views: Views,
    /// Pictures that went through the network: rows times views.
    pub images_forward: u64,
}

/// Predicts the clean picture and all augmented views of each row, in eval mode (`HybridRepair`, section 3.2).
///
/// The views depend on the view maker's streams, the row and the view only, so that every pass of a run sees the same
/// ones (common random numbers) and results are bit-equal for any number of threads.
///
/// # Errors
/// When libtorch fails, or the model gives NaN.
pub fn predict_views(
    model: &Model,
    maker: &ViewMaker,
    (height, width): (usize, usize),
    rows: &[usize],
) -> Result<ViewPass, TorchError> {
    let (per_row, stride) = (maker.config().views + 1, maker.stride());
    let classes = model.spec().classes;
    // about the same number of pictures per forward pass as in plain prediction
    let batch = (126 * batch_for((height, width)) / BATCH / per_row).max(1);
    let parts = in_batches(model, rows.len(), batch, |model, range| {
        let mut pixels = vec![0f32; range.len() * per_row * stride];
        let mut out = pixels.chunks_exact_mut(stride);
        for &row in &rows[range] {
            for view in 0..per_row {
                maker.view_into(row, view, 0, out.next().expect("a slot per view"));
            }
        }
        let x = nhwc_tensor(&pixels, height, width, model.device());
        let probs = to_vec(&model.forward(&x).logits.softmax(-1, tch::Kind::Float));
        probs.chunks_exact(per_row * classes).map(|p| moments(p, classes)).collect::<Vec<_>>()
    });
    let mut mean = Vec::with_capacity(rows.len() * classes);
    let mut variance = Vec::with_capacity(rows.len());
    for (m, v) in parts.into_iter().flatten() {
        mean.extend(m);
        variance.push(v);
    }
    let mean = Array2::from_shape_vec((rows.len(), classes), mean).expect("a mean per row");
    let views = Views::from_moments(mean, Array1::from(variance))?;
    Ok(ViewPass { views, images_forward: (rows.len() * per_row) as u64 })
}

/// Mean over the views and summed unbiased variance of one row's probabilities, `views x C`.
fn moments(probs: &[f32], classes: usize) -> (Vec<f32>, f32) {
    let p = ArrayView2::from_shape((probs.len() / classes, classes), probs).expect("whole rows");
    let views = p.nrows() as f64;
    let mut mean = Vec::with_capacity(classes);
    let mut variance = 0.0;
    for column in p.columns() {
        let m = column.iter().map(|&x| f64::from(x)).sum::<f64>() / views;
        variance += column.iter().map(|&x| (f64::from(x) - m).powi(2)).sum::<f64>() / (views - 1.0).max(1.0);
        mean.push(m as f32);
    }
    (mean, variance as f32)
}
