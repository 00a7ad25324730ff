use crate::{
    Mlp, Model, TorchError, nhwc_tensor,
    predict::{BATCH, array, in_batches_of, to_vec},
};
use hybridrepair_data::{Images, Normalizer, ViewMaker};
use ndarray::Array2;
use tch::{Kind, Tensor};

/// What turns pictures into embeddings: a model's penultimate features, through heads if it has some.
#[derive(Debug)]
pub struct Encoder {
    model: Model,
    heads: Vec<Mlp>,
}

impl Encoder {
    /// The model's features through these heads, one after the other.
    ///
    /// # Errors
    /// When the lengths do not fit.
    pub fn new(model: Model, heads: Vec<Mlp>) -> Result<Self, TorchError> {
        let mut length = model.feature_dim();
        for (i, head) in heads.iter().enumerate() {
            if head.input() != length {
                let why = format!("head {i} takes {} numbers and is given {length}", head.input());
                return Err(TorchError::Mismatch(why));
            }
            length = head.output();
        }
        Ok(Self { model, heads })
    }

    /// The model below the heads.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Length of an embedding.
    pub fn dim(&self) -> usize {
        self.heads.last().map_or(self.model.feature_dim(), Mlp::output)
    }

    /// Embeddings `n x d` of a batch `n x 3 x h x w`, in eval mode.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let features = self.model.forward(x, false).features;
        self.heads.iter().fold(features, |x, head| head.forward(&x, false))
    }

    /// Embeddings of all pictures under the test transform, `n x d`, not normalised.
    ///
    /// # Errors
    /// When libtorch fails, for instance for want of memory.
    pub fn encode(&self, images: &Images, normalizer: &Normalizer) -> Result<Array2<f32>, TorchError> {
        let size = (images.height(), images.width());
        self.encode_with(images.len(), size, |i, out| normalizer.apply(images.get(i), out))
    }

    /// Embeddings of `n` pictures that `fill` writes, each `height x width x 3` normalised numbers. Bit-equal for any
    /// number of threads.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_with(
        &self,
        n: usize,
        (height, width): (usize, usize),
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Result<Array2<f32>, TorchError> {
        let stride = height * width * Images::CHANNELS;
        let device = self.model.device();
        let parts = in_batches_of(EvalEncoder(self), device, n, BATCH, |encoder, range| {
            let mut pixels = vec![0f32; range.len() * stride];
            for (out, i) in pixels.chunks_exact_mut(stride).zip(range) {
                fill(i, out);
            }
            to_vec(&encoder.forward(&nhwc_tensor(&pixels, height, width, device)))
        });
        Ok(array(parts.concat(), n, self.dim()))
    }

    /// Embeddings averaged over the clean picture and all its augmented views, `n x d`; each view's embedding has unit
    /// length before it is averaged, so that every view counts alike.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_views(&self, maker: &ViewMaker, (height, width): (usize, usize)) -> Result<Array2<f32>, TorchError> {
        let (per_row, stride) = (maker.config().views + 1, maker.stride());
        let device = self.model.device();
        let batch = (BATCH / per_row).max(1);
        let parts = in_batches_of(EvalEncoder(self), device, maker.len(), batch, |encoder, range| {
            let mut pixels = vec![0f32; range.len() * per_row * stride];
            for (out, slot) in pixels.chunks_exact_mut(stride).zip(0..) {
                maker.view_into(range.start + slot / per_row, slot % per_row, 0, out);
            }
            let z = encoder.forward(&nhwc_tensor(&pixels, height, width, device));
            let length = z.norm_scalaropt_dim(2.0, [-1i64].as_slice(), true).clamp_min(1e-12);
            let views = (z / length).view([range.len() as i64, per_row as i64, -1]);
            to_vec(&views.mean_dim([1i64].as_slice(), false, Kind::Float))
        });
        Ok(array(parts.concat(), maker.len(), self.dim()))
    }
}

/// An encoder that several threads may ask at once.
#[derive(Clone, Copy)]
struct EvalEncoder<'a>(&'a Encoder);

#[expect(unsafe_code, reason = "tch marks tensors as Send but not as Sync")]
// SAFETY: as for a model in eval mode: `forward` only reads tensors, which libtorch allows concurrently, and the borrow
// keeps everybody from writing meanwhile.
unsafe impl Sync for EvalEncoder<'_> {}
#[expect(unsafe_code, reason = "as above")]
// SAFETY: as above; a copy of the reference may be used on any thread.
unsafe impl Send for EvalEncoder<'_> {}

impl EvalEncoder<'_> {
    fn forward(self, x: &Tensor) -> Tensor {
        self.0.forward(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, ModelSpec, predict};
    use hybridrepair_core::Streams;
    use hybridrepair_data::{Normalization, ViewConfig};
    use tch::Device;

    #[test]
    fn without_heads_it_is_the_penultimate_layer_and_the_first_of_no_views_is_its_direction() {
        let spec = ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 3 };
        let model = Model::new(spec, Device::Cpu, Streams::new(3)).unwrap();
        let bytes = (0..140 * 12 * 12 * 3u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let images = Images::new(bytes, 12, 12).unwrap();
        let normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };
        let normalizer = Normalizer::new(normalization).unwrap();
        let plain = predict(&model, &images, &normalizer).unwrap().features;
        let encoder = Encoder::new(model, Vec::new()).unwrap();
        assert_eq!(encoder.encode(&images, &normalizer).unwrap(), plain);
        let config = ViewConfig { views: 0, ..ViewConfig::default() };
        let maker = ViewMaker::new(images, normalization, config, Streams::new(0), "v").unwrap();
        let unit = encoder.encode_views(&maker, (12, 12)).unwrap();
        for (a, b) in unit.outer_iter().zip(plain.outer_iter()) {
            let length = b.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!(a.iter().zip(b).all(|(x, y)| (x - y / length).abs() < 1e-5));
        }
    }
}
