use crate::{Model, nhwc_tensor};
use hybridrepair_data::{Images, Normalizer};

/// Moves the running statistics of batch norm to some pictures, one batch of rows after the other, with weights as they are
/// (Li et al. 2018, `AdaBN`; Schneider et al. 2020). Gives the number of pictures that went through the network.
pub fn restate_batch_norm(model: &Model, images: &Images, normalizer: &Normalizer, batches: &[Vec<usize>]) -> u64 {
    for batch in batches {
        let mut pixels = vec![0f32; batch.len() * images.stride()];
        for (out, &row) in pixels.chunks_exact_mut(images.stride()).zip(batch) {
            normalizer.apply(images.get(row), out);
        }
        let x = nhwc_tensor(&pixels, images.height(), images.width(), model.device());
        // in train mode the statistics move, also without gradients
        let _ = tch::no_grad(|| model.forward(&x, true));
    }
    batches.iter().map(|b| b.len() as u64).sum()
}
