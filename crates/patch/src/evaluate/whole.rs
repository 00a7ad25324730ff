use super::{Eval, Judged};
use crate::{Cases, head::classes_of};
use hybridrepair_core::ClassId;
use ndarray::Array2;

/// What a model does whose logits are known, without any short cut and in `f64`: for candidates that change a whole layer,
/// and to check the others.
pub fn evaluate_whole(logits: &Array2<f32>, labels: &[ClassId], cases: &Cases, protected: &[ClassId]) -> Eval {
    let each = judge_whole(logits, labels);
    let side = |rows: &[usize]| {
        let (mut right, mut soft, mut loss, mut broken) = (0u32, 0.0, 0.0, 0u32);
        for &n in rows {
            let Judged { right: hit, loss: ce } = each[n];
            right += u32::from(hit);
            soft += if hit { 1.0 } else { 1.0 / (1.0 + ce) };
            loss += ce;
            broken += u32::from(!hit && protected.contains(&labels[n]));
        }
        (right, soft, loss / rows.len().max(1) as f64, broken)
    };
    let (wrong, right) = (side(&cases.negatives), side(&cases.positives));
    Eval {
        right_neg: wrong.0,
        right_pos: right.0,
        soft_neg: wrong.1,
        soft_pos: right.1,
        loss_neg: wrong.2,
        loss_pos: right.2,
        broken_protected: right.3,
    }
}

/// What a model whose logits are known does to every sample, in `f64`.
pub fn judge_whole(logits: &Array2<f32>, labels: &[ClassId]) -> Vec<Judged> {
    let said = classes_of(logits);
    let one = |(n, z): (usize, ndarray::ArrayView1<'_, f32>)| {
        let z = z.mapv(f64::from);
        let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let loss = z.mapv(|v| (v - max).exp()).sum().ln() + max - z[labels[n].column()];
        Judged { right: said[n] == labels[n], loss }
    };
    logits.outer_iter().enumerate().map(one).collect()
}
