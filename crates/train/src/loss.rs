use hybridrepair_torch::{Kind, Tensor};

/// Mean cross-entropy of logits `n x C` against class numbers (`int64`, `n`), with the label-smoothing of the published
/// method: target `1 - eps` on the label and `eps / (C - 1)` on every other class.
pub fn cross_entropy(logits: &Tensor, classes: &Tensor, eps: f64) -> Tensor {
    if eps == 0.0 {
        return logits.cross_entropy_for_logits(classes);
    }
    let target = smooth_one_hot(classes, logits.size()[1], eps);
    -(target * logits.log_softmax(-1, Kind::Float))
        .sum_dim_intlist([-1i64].as_slice(), false, Kind::Float)
        .mean(Kind::Float)
}

/// One row per class number, 1 in its column.
pub fn one_hot(classes: &Tensor, count: i64) -> Tensor {
    smooth_one_hot(classes, count, 0.0)
}

/// One row per class number: `1 - eps` in its column, `eps / (C - 1)` in the others.
pub fn smooth_one_hot(classes: &Tensor, count: i64, eps: f64) -> Tensor {
    let off = if count > 1 { eps / (count - 1) as f64 } else { 0.0 };
    let on = if count > 1 { 1.0 - eps } else { 1.0 };
    let rows = Tensor::full([classes.size()[0], count], off, (Kind::Float, classes.device()));
    let on = Tensor::full([classes.size()[0], 1], on, (Kind::Float, classes.device()));
    rows.scatter(1, &classes.unsqueeze(1), &on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_by_hand() {
        let y = Tensor::from_slice(&[2i64]);
        let target = smooth_one_hot(&y, 3, 0.1);
        assert!((target.double_value(&[0, 2]) - 0.9).abs() < 1e-6);
        assert!((target.double_value(&[0, 0]) - 0.05).abs() < 1e-6);
        let z = Tensor::from_slice(&[0f32, 0.0, 0.0]).view([1, 3]);
        assert!((cross_entropy(&z, &y, 0.1).double_value(&[]) - 3f64.ln()).abs() < 1e-6);
        assert!((cross_entropy(&z, &y, 0.0).double_value(&[]) - 3f64.ln()).abs() < 1e-6);
    }
}
