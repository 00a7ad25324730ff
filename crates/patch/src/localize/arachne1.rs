use super::{HeadCase, Localized, Localizer, head_gradient, pareto_front, sort_by};
use crate::PatchError;
use hybridrepair_core::Stream;

/// How a weight's part in the forward pass is measured, from the features `x` of the wrong samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impact {
    /// `mean |x_i| |W_ij|`: features of both signs do not cancel.
    Absolute,
    /// `|mean x_i W_ij|`, as the published experiment has it.
    Signed,
    /// `|x_i W_ij|` of the first wrong sample alone, as the published toolkit has it.
    First,
}

/// Arachne v1 (Sohn, Kang and Yoo, section 3.2): of the weights with the largest gradient of the wrong samples' loss,
/// those on the Pareto front of gradient and forward impact.
#[derive(Clone, Copy, Debug)]
pub struct Arachne1 {
    /// Weights kept after the ranking by gradient, per wrong sample.
    pub per_negative: usize,
    /// The forward impact.
    pub impact: Impact,
}

impl Default for Arachne1 {
    fn default() -> Self {
        Self { per_negative: 20, impact: Impact::Absolute }
    }
}

impl Localizer for Arachne1 {
    fn name(&self) -> &'static str {
        match self.impact {
            Impact::Absolute => "arachne1",
            Impact::Signed | Impact::First => "arachne1-published",
        }
    }

    fn locate(&self, case: &HeadCase<'_>, _: &mut Stream) -> Result<Vec<Localized>, PatchError> {
        let negatives = &case.cases.negatives;
        let gradient = head_gradient(case.head, case.samples, negatives)?;
        let activation = self.activation(case);
        let mut found = gradient
            .indexed_iter()
            .map(|((j, i), &g)| {
                let value = case.head.weight[[j, i]];
                let forward_impact = (activation[i] * f64::from(value)).abs();
                Localized { weight: case.head.weight_ref(j, Some(i)), grad_loss: g.abs(), forward_impact, value }
            })
            .collect::<Vec<_>>();
        sort_by(&mut found, |f| f.grad_loss);
        found.truncate(self.per_negative.saturating_mul(negatives.len()).max(1));
        let points = found.iter().map(|f| (f.grad_loss, f.forward_impact)).collect::<Vec<_>>();
        Ok(pareto_front(&points).into_iter().map(|i| found[i].clone()).collect())
    }
}

impl Arachne1 {
    /// One number per feature.
    fn activation(&self, case: &HeadCase<'_>) -> Vec<f64> {
        let negatives = &case.cases.negatives;
        let rows = if self.impact == Impact::First { &negatives[..1] } else { negatives };
        let mut sum = vec![0.0f64; case.head.dim()];
        for &row in rows {
            for (s, &x) in sum.iter_mut().zip(case.samples.features.row(row)) {
                *s += f64::from(if self.impact == Impact::Absolute { x.abs() } else { x });
            }
        }
        sum.iter().map(|s| s / rows.len() as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cases, Head, Samples};
    use hybridrepair_core::{ClassId, Streams};
    use ndarray::array;

    #[test]
    fn front_by_hand() {
        // one wrong sample, logits (ln 3, 0): P = (.75, .25), true class 1, so (P - Y) = (.75, -.75)
        let head = Head::new(array![[3f32.ln(), 0.0], [0.0, 0.5]], array![0.0, -1.0], "fc").unwrap();
        let samples = Samples::new(array![[1.0, 2.0], [0.0, 4.0]], vec![ClassId(1); 2], 2).unwrap();
        let cases = Cases { negatives: vec![0], positives: vec![1] };
        let case = HeadCase { head: &head, samples: &samples, cases: &cases, class: Some(ClassId(1)) };
        let all = Arachne1::default().locate(&case, &mut Streams::new(0).named("x")).unwrap();
        // gradients .75 x_i: feature 1 has 1.5, feature 0 has .75; impacts |x W|: 0, 1 (feature 1), 1.0986, 0
        let place = |l: &Localized| (l.weight.index.clone(), (l.grad_loss * 1e6).round() / 1e6);
        assert_eq!(all.iter().map(place).collect::<Vec<_>>(), [(vec![1, 1], 1.5), (vec![0, 0], 0.75)]);
        let one = Arachne1 { per_negative: 1, ..Arachne1::default() };
        assert_eq!(one.locate(&case, &mut Streams::new(0).named("x")).unwrap().len(), 1);
    }
}
