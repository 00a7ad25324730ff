use crate::{Cases, Change, Head, PatchError, Samples, localize::residuals};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

/// The last layer trained by gradient on the wrong samples, with the right ones replayed: the baseline that moves every
/// weight of the layer. Adam (Kingma and Ba 2015) on all samples at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FineTune {
    /// Steps.
    pub steps: usize,
    /// Learning rate.
    pub lr: f64,
    /// Weight of the wrong samples' mean loss, in [0, 1]; the right ones' has the rest.
    pub lambda: f64,
    /// Weight of the squared distance from the layer as it was.
    pub decay: f64,
}

impl Default for FineTune {
    fn default() -> Self {
        Self { steps: 200, lr: 2e-3, lambda: 0.5, decay: 0.02 }
    }
}

/// All weights and biases of the layer after training, as changes.
///
/// # Errors
/// When the features do not fit the layer, or a setting is outside its range.
pub fn fine_tune(
    head: &Head,
    samples: &Samples,
    cases: &Cases,
    settings: &FineTune,
) -> Result<Vec<Change>, PatchError> {
    if !(0.0..=1.0).contains(&settings.lambda) {
        return Err(PatchError::setting("lambda", settings.lambda, "is outside [0, 1]"));
    }
    let rows = [&cases.negatives[..], &cases.positives].concat();
    let chosen = samples.select(&rows);
    let x = chosen.features.mapv(f64::from);
    let (n, m) = (cases.negatives.len() as f64, cases.positives.len() as f64);
    let share = |i: usize| if i < cases.negatives.len() { settings.lambda / n } else { (1.0 - settings.lambda) / m };
    let shares = Array1::from_shape_fn(rows.len(), share);
    let mut now = head.clone();
    let (start_w, start_b) = (head.weight.mapv(f64::from), head.bias.mapv(f64::from));
    let (mut w, mut b) = (start_w.clone(), start_b.clone());
    let mut moments_w = (Array2::<f64>::zeros(w.dim()), Array2::<f64>::zeros(w.dim()));
    let mut moments_b = (Array1::<f64>::zeros(b.dim()), Array1::<f64>::zeros(b.dim()));
    for step in 1..=settings.steps {
        let mut r = residuals(&now.logits(chosen.features.view())?, &chosen);
        r *= &shares.view().insert_axis(Axis(1));
        let grad_w = r.t().dot(&x) + (&w - &start_w) * (2.0 * settings.decay);
        let grad_b = r.sum_axis(Axis(0)) + (&b - &start_b) * (2.0 * settings.decay);
        let fix = (1.0 - 0.9f64.powi(step as i32), 1.0 - 0.999f64.powi(step as i32));
        adam(w.iter_mut(), grad_w.iter(), moments_w.0.iter_mut(), moments_w.1.iter_mut(), settings.lr, fix);
        adam(b.iter_mut(), grad_b.iter(), moments_b.0.iter_mut(), moments_b.1.iter_mut(), settings.lr, fix);
        now.weight = w.mapv(|v| v as f32);
        now.bias = b.mapv(|v| v as f32);
    }
    let changed =
        |(j, i): (usize, Option<usize>), old: f32, new: f32| Change { weight: head.weight_ref(j, i), old, new };
    let mut changes = Vec::new();
    for ((j, i), &old) in head.weight.indexed_iter() {
        changes.push(changed((j, Some(i)), old, now.weight[[j, i]]));
    }
    for (j, &old) in head.bias.iter().enumerate() {
        changes.push(changed((j, None), old, now.bias[j]));
    }
    Ok(changes)
}

fn adam<'a>(
    values: impl Iterator<Item = &'a mut f64>,
    gradients: impl Iterator<Item = &'a f64>,
    first: impl Iterator<Item = &'a mut f64>,
    second: impl Iterator<Item = &'a mut f64>,
    lr: f64,
    (fix1, fix2): (f64, f64),
) {
    for (((v, g), m), s) in values.zip(gradients).zip(first).zip(second) {
        *m = 0.9 * *m + 0.1 * g;
        *s = 0.999 * *s + 0.001 * g * g;
        *v -= lr * (*m / fix1) / ((*s / fix2).sqrt() + 1e-8);
    }
}
