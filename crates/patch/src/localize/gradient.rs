use super::{HeadCase, Localized, Localizer, sort_by};
use crate::{Head, PatchError, Samples};
use hybridrepair_core::Stream;
use ndarray::Array2;
use rayon::prelude::*;

/// The weights with the largest gradient of the wrong samples' loss: the baseline without forward impact.
#[derive(Clone, Copy, Debug)]
pub struct Gradient {
    /// How many.
    pub count: usize,
}

impl Localizer for Gradient {
    fn name(&self) -> &'static str {
        "gradient"
    }

    fn locate(&self, case: &HeadCase<'_>, _: &mut Stream) -> Result<Vec<Localized>, PatchError> {
        let gradient = head_gradient(case.head, case.samples, &case.cases.negatives)?;
        let mut found = gradient
            .indexed_iter()
            .map(|((j, i), &g)| Localized {
                weight: case.head.weight_ref(j, Some(i)),
                grad_loss: g.abs(),
                forward_impact: 0.0,
                value: case.head.weight[[j, i]],
            })
            .collect::<Vec<_>>();
        sort_by(&mut found, |f| f.grad_loss);
        found.truncate(self.count);
        Ok(found)
    }
}

/// Gradient of the mean cross-entropy of these rows by the last layer's weight, `C x D`, in closed form:
/// `(1/N) (P - Y)^T X` (autograd gives the same, see the tests of `torch`).
///
/// # Errors
/// When the features do not fit the layer, or no row is given.
pub fn head_gradient(head: &Head, samples: &Samples, rows: &[usize]) -> Result<Array2<f64>, PatchError> {
    if rows.is_empty() {
        return Err(PatchError::NoCase("no gradient of no samples".to_owned()));
    }
    let chosen = samples.select(rows);
    let residual = residuals(&head.logits(chosen.features.view())?, &chosen);
    let (n, d) = chosen.features.dim();
    // a class per task: the same sums for any number of threads
    let flat = (0..head.classes())
        .into_par_iter()
        .flat_map_iter(|j| {
            let mut sum = vec![0.0f64; d];
            for (x, r) in chosen.features.outer_iter().zip(residual.column(j)) {
                sum.iter_mut().zip(x).for_each(|(s, &x)| *s += r * f64::from(x));
            }
            sum.into_iter().map(move |s| s / n as f64)
        })
        .collect::<Vec<_>>();
    Ok(Array2::from_shape_vec((head.classes(), d), flat).expect("a sum per weight"))
}

/// Softmax minus one-hot label, `n x C`.
pub(crate) fn residuals(logits: &Array2<f32>, samples: &Samples) -> Array2<f64> {
    let mut p = logits.mapv(f64::from);
    for (mut row, y) in p.outer_iter_mut().zip(&samples.labels) {
        let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.mapv_inplace(|z| (z - max).exp());
        let sum = row.sum();
        row.mapv_inplace(|e| e / sum);
        row[y.column()] -= 1.0;
    }
    p
}
