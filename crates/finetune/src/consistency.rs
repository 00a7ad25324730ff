//! One step of the published semi-supervised pass.

use crate::ConsistencySettings;
use hybridrepair_core::Stream;
use hybridrepair_torch::{Kind, Model, Tensor};
use hybridrepair_train::one_hot;
use rand::{Rng, seq::SliceRandom};

/// The pictures and targets of one step.
pub(crate) struct ConsistencyBatch<'a> {
    /// `(labelled + (views + 1) * unlabelled) x (h * w * 3)`: the labelled pictures, then all pictures of view 0, of
    /// view 1, and so on.
    pub(crate) pixels: Tensor,
    /// Height and width.
    pub(crate) size: (usize, usize),
    /// Classes of the labelled pictures, `int64`.
    pub(crate) classes: &'a Tensor,
    /// Targets that are known, `unlabelled x C`, and 1 where they are (`unlabelled x 1`).
    pub(crate) known: (&'a Tensor, &'a Tensor),
}

/// The loss of one step (`HybridRepair`, section 3.4; the `MixMatch` family, Berthelot et al. 2019).
///
/// Targets are the views' mean prediction, sharpened, in train mode (so batch norm's running statistics move here as
/// well, as upstream); known labels replace it. Pictures and targets are mixed in one permutation of the whole batch.
/// The labelled loss is cross-entropy with the hard, unmixed label; the other part is the mean squared distance of all
/// view predictions to their mixed targets.
pub(crate) fn consistency_loss(
    model: &Model,
    batch: &ConsistencyBatch<'_>,
    settings: &ConsistencySettings,
    rng: &mut Stream,
) -> Tensor {
    let views = settings.views as i64 + 1;
    let labelled = batch.classes.size()[0];
    let rows = batch.pixels.size()[0];
    let unlabelled = (rows - labelled) / views;
    let classes = model.spec().classes as i64;
    let (h, w) = (batch.size.0 as i64, batch.size.1 as i64);
    // rows of pixels lie NHWC in memory: this view has channels-last strides
    let as_images = |pixels: &Tensor| pixels.view([-1, h, w, 3]).permute([0, 3, 1, 2]);

    let targets = tch::no_grad(|| {
        let probs = model.forward(&as_images(&batch.pixels.narrow(0, labelled, rows - labelled)), true).logits;
        let probs = probs.softmax(-1, Kind::Float).view([views, unlabelled, classes]);
        let mean = probs.mean_dim([0i64].as_slice(), false, Kind::Float);
        let sharp = mean.pow_tensor_scalar(1.0 / settings.temperature);
        let guess = &sharp / sharp.sum_dim_intlist([-1i64].as_slice(), true, Kind::Float);
        let (known, is_known) = batch.known;
        let q: Tensor = guess * (1.0 - is_known) + known * is_known;
        Tensor::cat(&[one_hot(batch.classes, classes), q.repeat([views, 1])], 0)
    });

    let lambda = beta(settings.alpha, rng);
    let lambda = lambda.max(1.0 - lambda);
    let mut order = (0..rows).collect::<Vec<_>>();
    order.shuffle(rng);
    let order = Tensor::from_slice(&order).to_device(model.device());
    let mix = |t: &Tensor| t * lambda + t.index_select(0, &order) * (1.0 - lambda);
    let (mixed, mixed_targets) = (mix(&batch.pixels), mix(&targets));

    let logits = model.forward(&as_images(&mixed), true).logits;
    let loss_labelled = logits.narrow(0, 0, labelled).cross_entropy_for_logits(batch.classes);
    let rest = rows - labelled;
    let difference =
        logits.narrow(0, labelled, rest).softmax(-1, Kind::Float) - mixed_targets.narrow(0, labelled, rest);
    loss_labelled + difference.square().mean(Kind::Float) * settings.weight
}

/// One draw of Beta(a, a) as a ratio of two Gamma draws (Marsaglia and Tsang 2000, with Ahrens' boost below 1).
fn beta(a: f64, rng: &mut Stream) -> f64 {
    let (x, y) = (gamma(a, rng), gamma(a, rng));
    // both can underflow for tiny a: then either end is as likely
    if x + y > 0.0 { x / (x + y) } else { f64::from(u8::from(rng.r#gen::<bool>())) }
}

fn gamma(a: f64, rng: &mut Stream) -> f64 {
    if a < 1.0 {
        let boost = rng.gen_range(f64::MIN_POSITIVE..1.0).powf(1.0 / a);
        return gamma(a + 1.0, rng) * boost;
    }
    let d = a - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        // standard normal by Box and Muller
        let (u, v) = (rng.gen_range(f64::MIN_POSITIVE..1.0), rng.r#gen::<f64>());
        let x = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        let t = (1.0 + c * x).powi(3);
        if t > 0.0 && rng.gen_range(f64::MIN_POSITIVE..1.0).ln() < 0.5 * x * x + d - d * t + d * t.ln() {
            return d * t;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn beta_has_the_right_mean_and_variance() {
        let mut rng = Streams::new(1).named("beta");
        let draws = (0..40_000).map(|_| beta(0.75, &mut rng)).collect::<Vec<_>>();
        let mean = draws.iter().sum::<f64>() / 40_000.0;
        let var = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 40_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        // variance of Beta(a, a) is 1 / (4 (2 a + 1)) = 0.1
        assert!((var - 0.1).abs() < 0.003, "{var}");
    }
}
