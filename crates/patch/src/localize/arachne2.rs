use super::{HeadCase, Localized, Localizer, head_gradient, pareto_front};
use crate::{PatchError, Positives};
use hybridrepair_core::Stream;
use ndarray::Array2;

/// Arachne v2 (TOSEM 32(4), section 3.3) on the last layer: weights that wrong answers depend on and right ones do not,
/// by the Pareto front of `cost(wrong) / (1 + cost(right))` for gradient and forward impact, over all weights.
///
/// Forward impact is the share of a logit's absolute input that the weight carries, averaged over the samples, times the
/// logit's share of the output, which is the same for all logits. About as many right samples are drawn as are wrong, in
/// proportion to their classes.
#[derive(Clone, Copy, Debug)]
pub struct Arachne2;

impl Localizer for Arachne2 {
    fn name(&self) -> &'static str {
        "arachne2"
    }

    fn locate(&self, case: &HeadCase<'_>, rng: &mut Stream) -> Result<Vec<Localized>, PatchError> {
        let cost = |rows: &[usize]| {
            // summed over the samples, as published
            let gradient = head_gradient(case.head, case.samples, rows)?.mapv(|g| g.abs() * rows.len() as f64);
            Ok::<_, PatchError>((gradient, shares(case, rows)))
        };
        let HeadCase { samples, cases, .. } = case;
        let few = Positives::Proportional(cases.negatives.len());
        let logits = case.head.logits(samples.features.view())?;
        let right = few.sample(&cases.positives, &samples.labels, &logits, case.class, rng)?;
        let (wrong, right) = (cost(&cases.negatives)?, cost(&right)?);
        let combine = |a: &Array2<f64>, b: &Array2<f64>| a / &b.mapv(|v| 1.0 + v);
        let (grad, impact) = (combine(&wrong.0, &right.0), combine(&wrong.1, &right.1));
        let points = grad.iter().copied().zip(impact.iter().copied()).collect::<Vec<_>>();
        let dim = case.head.dim();
        let found = pareto_front(&points).into_iter().map(|at| {
            let (j, i) = (at / dim, at % dim);
            Localized {
                weight: case.head.weight_ref(j, Some(i)),
                grad_loss: points[at].0,
                forward_impact: points[at].1,
                value: case.head.weight[[j, i]],
            }
        });
        Ok(found.collect())
    }
}

/// Mean over the rows of `|x_i W_ji| / sum_i' |x_i' W_ji'|`, times `1 / C`; 0 where nothing enters.
fn shares(case: &HeadCase<'_>, rows: &[usize]) -> Array2<f64> {
    let w = case.head.weight.mapv(|w| f64::from(w.abs()));
    let mut sum = Array2::<f64>::zeros(w.dim());
    for &row in rows {
        let x = case.samples.features.row(row).mapv(|x| f64::from(x.abs()));
        for (mut out, w) in sum.outer_iter_mut().zip(w.outer_iter()) {
            let total = w.dot(&x);
            if total > 0.0 {
                out.zip_mut_with(&(&w * &x), |o, v| *o += v / total);
            }
        }
    }
    sum / (rows.len() * case.head.classes()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cases, Head, Samples};
    use hybridrepair_core::ClassId;
    use ndarray::array;

    #[test]
    fn shares_by_hand() {
        let head = Head::new(array![[1.0, -1.0], [0.0, 0.0]], array![0.0, 0.0], "fc").unwrap();
        let samples = Samples::new(array![[3.0, 1.0], [-1.0, 1.0]], vec![ClassId(1); 2], 2).unwrap();
        let cases = Cases { negatives: vec![0, 1], positives: vec![1] };
        let case = HeadCase { head: &head, samples: &samples, cases: &cases, class: None };
        // (3/4 + 1/2) / 2 / 2 classes, and nothing at all enters the second logit
        assert_eq!(shares(&case, &[0, 1]), array![[0.3125, 0.1875], [0.0, 0.0]]);
    }
}
