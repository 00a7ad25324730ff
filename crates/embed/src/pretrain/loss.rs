use hybridrepair_torch::{Kind, Tensor};

/// Rows divided by their length.
pub(super) fn unit(z: &Tensor) -> Tensor {
    z / z.norm_scalaropt_dim(2.0, [-1i64].as_slice(), true).clamp_min(1e-12)
}

/// Spread of a batch of embeddings: standard deviation of the coordinates of unit rows, averaged, times the square root of
/// their number; 1 when directions are spread evenly, 0 when all are one (Chen and He 2021, section 4.1).
pub(super) fn batch_spread(z: &Tensor) -> f64 {
    let z = unit(z);
    let deviation = z.std_dim([0i64].as_slice(), false, false).mean(Kind::Float);
    deviation.double_value(&[]) * (z.size()[1] as f64).sqrt()
}

/// The contrastive loss of `m` embeddings of any length (`m x d`), where rows of the same group are alike.
///
/// With two views of each picture as groups of two it is `NT-Xent` of `SimCLR` (Chen et al. 2020). Larger groups (pictures
/// of one known class) make it the supervised contrastive loss, the mean over positives outside of the logarithm (Khosla
/// et al. 2020, equation 2). With `decoupled`, positives do not stand among those that a row is told apart from, which
/// learns faster from small batches (Yeh et al. 2022).
pub fn contrastive(z: &Tensor, groups: &[i64], temperature: f64, decoupled: bool) -> Tensor {
    const NEVER: f64 = -1e9;
    let z = unit(z);
    let similar = z.matmul(&z.tr()) / temperature;
    let groups = Tensor::from_slice(groups).to_device(z.device());
    let alike = groups.unsqueeze(0).eq_tensor(&groups.unsqueeze(1));
    let mut others = alike.ones_like();
    let _ = others.fill_diagonal_(0, false);
    let positive = alike.logical_and(&others);
    let against = if decoupled { alike.logical_not() } else { others };
    let all = similar.masked_fill(&against.logical_not(), NEVER).logsumexp([-1i64].as_slice(), true);
    let positive = positive.to_kind(Kind::Float);
    let each = (&positive * (all - similar)).sum_dim_intlist([-1i64].as_slice(), false, Kind::Float);
    let count = positive.sum_dim_intlist([-1i64].as_slice(), false, Kind::Float).clamp_min(1.0);
    (each / count).mean(Kind::Float)
}

/// The loss of `MoCo` v3 for one of two directions (Chen, Xie and He 2021, algorithm 1): each query shall find its own key
/// among all keys of the batch. `q` and `k` are `n x d` of any length; multiplied by `2 T`.
pub fn moco_loss(q: &Tensor, k: &Tensor, temperature: f64) -> Tensor {
    let logits = unit(q).matmul(&unit(k).tr()) / temperature;
    let own = Tensor::arange(logits.size()[0], (Kind::Int64, logits.device()));
    logits.cross_entropy_for_logits(&own) * (2.0 * temperature)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f32], d: i64) -> Tensor {
        Tensor::from_slice(values).view([-1, d])
    }

    #[test]
    fn by_hand() {
        // two pictures, two views each, exactly alike within and at right angles between
        let z = rows(&[1.0, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0, 0.5], 2);
        let (t, groups) = (0.5, [0, 1, 0, 1]);
        // each row: its partner at 1 / T = 2, two others at 0
        let plain = ((2.0f64.exp() + 2.0).ln()) - 2.0;
        assert!((contrastive(&z, &groups, t, false).double_value(&[]) - plain).abs() < 1e-5);
        let decoupled = 2.0f64.ln() - 2.0;
        assert!((contrastive(&z, &groups, t, true).double_value(&[]) - decoupled).abs() < 1e-5);
        // one group of all: three positives of similarity 2, 0, 0 for each row
        let grouped = ((2.0f64.exp() + 2.0).ln()) - 2.0 / 3.0;
        assert!((contrastive(&z, &[5; 4], t, false).double_value(&[]) - grouped).abs() < 1e-5);
        // two queries that have found their keys: CE of (1 / T, 0)
        let (q, k) = (rows(&[1.0, 0.0, 0.0, 1.0], 2), rows(&[2.0, 0.0, 0.0, 3.0], 2));
        let expected = 2.0 * (1.0 + (-1.0f64).exp()).ln();
        assert!((moco_loss(&q, &k, 1.0).double_value(&[]) - expected).abs() < 1e-5);
    }

    #[test]
    fn a_collapsed_batch_has_no_spread() {
        assert!(batch_spread(&rows(&[1.0, 2.0, 2.0, 4.0, 0.5, 1.0], 2)) < 1e-3);
        let axes = rows(&[1.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0, -1.0], 2);
        assert!((batch_spread(&axes) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_row_without_partner_and_a_zero_row_do_no_harm() {
        let z = rows(&[0.0, 0.0, 1.0, 0.0], 2).set_requires_grad(true);
        let loss = contrastive(&z, &[0, 1], 0.1, false);
        loss.backward();
        assert!(loss.double_value(&[]).is_finite() && z.grad().isfinite().all().int64_value(&[]) == 1);
    }
}
