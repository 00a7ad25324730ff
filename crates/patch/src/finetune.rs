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
    /// Weight of the wrong samples' mean loss, in [0, 1]; the right ones' has the rest. Without it every sample counts alike.
    pub lambda: Option<f64>,
    /// Weight of the squared distance from the layer as it was.
    pub decay: f64,
    /// Most weights and biases that change: after a training of all, those whose change moves logits most are trained again
    /// from where they were, alone. All without it.
    pub keep: Option<usize>,
}

impl Default for FineTune {
    fn default() -> Self {
        Self { steps: 200, lr: 2e-3, lambda: Some(0.5), decay: 0.02, keep: None }
    }
}

/// The layer after training, as changes: all of its weights and biases, or the `keep` that matter most.
///
/// # Errors
/// When the features do not fit the layer, or a setting is outside its range.
pub fn fine_tune(
    head: &Head,
    samples: &Samples,
    cases: &Cases,
    settings: &FineTune,
) -> Result<Vec<Change>, PatchError> {
    if let Some(lambda) = settings.lambda.filter(|l| !(0.0..=1.0).contains(l)) {
        return Err(PatchError::setting("lambda", lambda, "is outside [0, 1]"));
    }
    if settings.keep == Some(0) {
        return Err(PatchError::setting("weights to keep", 0, "leave nothing to train"));
    }
    let rows = [&cases.negatives[..], &cases.positives].concat();
    let chosen = samples.select(&rows);
    let (n, m) = (cases.negatives.len() as f64, cases.positives.len() as f64);
    let share = |i: usize| match settings.lambda {
        None => 1.0 / (n + m),
        Some(lambda) if i < cases.negatives.len() => lambda / n,
        Some(lambda) => (1.0 - lambda) / m,
    };
    let shares = Array1::from_shape_fn(rows.len(), share);
    let mut places = all_places(head);
    let mut now = train(head, &chosen, &shares, settings, None)?;
    if let Some(keep) = settings.keep {
        places = strongest(head, &now, &chosen, places, keep);
        now = train(head, &chosen, &shares, settings, Some(&places))?;
    }
    let change = |(j, i): (usize, Option<usize>)| match i {
        Some(i) => Change { weight: head.weight_ref(j, Some(i)), old: head.weight[[j, i]], new: now.weight[[j, i]] },
        None => Change { weight: head.weight_ref(j, None), old: head.bias[j], new: now.bias[j] },
    };
    Ok(places.into_iter().map(change).collect())
}

/// Class and feature (none for a bias) of every weight of the layer: weights in row order, then biases.
fn all_places(head: &Head) -> Vec<(usize, Option<usize>)> {
    let (classes, dim) = head.weight.dim();
    let weights = (0..classes).flat_map(|j| (0..dim).map(move |i| (j, Some(i))));
    weights.chain((0..classes).map(|j| (j, None))).collect()
}

/// The places whose change moves logits most, on average over the samples; the earlier of equal ones. In row order.
fn strongest(
    head: &Head,
    now: &Head,
    samples: &Samples,
    mut places: Vec<(usize, Option<usize>)>,
    keep: usize,
) -> Vec<(usize, Option<usize>)> {
    let mean = samples.features.mapv(|x| f64::from(x.abs())).mean_axis(Axis(0)).unwrap_or_default();
    let moved = |&(j, i): &(usize, Option<usize>)| match i {
        Some(i) => f64::from((now.weight[[j, i]] - head.weight[[j, i]]).abs()) * mean[i],
        None => f64::from((now.bias[j] - head.bias[j]).abs()),
    };
    places.sort_by(|a, b| moved(b).total_cmp(&moved(a)));
    places.truncate(keep);
    places.sort_by_key(|&(j, i)| (i.is_none(), j, i));
    places
}

/// The layer after training; of it only the given places, if they are given.
fn train(
    head: &Head,
    chosen: &Samples,
    shares: &Array1<f64>,
    settings: &FineTune,
    only: Option<&[(usize, Option<usize>)]>,
) -> Result<Head, PatchError> {
    let x = chosen.features.mapv(f64::from);
    // 1 where a number may move
    let (mut free_w, mut free_b) = (Array2::<f64>::ones(head.weight.dim()), Array1::<f64>::ones(head.bias.dim()));
    if let Some(places) = only {
        (free_w, free_b) = (free_w * 0.0, free_b * 0.0);
        for &(j, i) in places {
            match i {
                Some(i) => free_w[[j, i]] = 1.0,
                None => free_b[j] = 1.0,
            }
        }
    }
    let mut now = head.clone();
    let (start_w, start_b) = (head.weight.mapv(f64::from), head.bias.mapv(f64::from));
    let (mut w, mut b) = (start_w.clone(), start_b.clone());
    let mut moments_w = (Array2::<f64>::zeros(w.dim()), Array2::<f64>::zeros(w.dim()));
    let mut moments_b = (Array1::<f64>::zeros(b.dim()), Array1::<f64>::zeros(b.dim()));
    for step in 1..=settings.steps {
        let mut r = residuals(&now.logits(chosen.features.view())?, chosen);
        r *= &shares.view().insert_axis(Axis(1));
        let grad_w = (r.t().dot(&x) + (&w - &start_w) * (2.0 * settings.decay)) * &free_w;
        let grad_b = (r.sum_axis(Axis(0)) + (&b - &start_b) * (2.0 * settings.decay)) * &free_b;
        let fix = (1.0 - 0.9f64.powi(step as i32), 1.0 - 0.999f64.powi(step as i32));
        adam(w.iter_mut(), grad_w.iter(), moments_w.0.iter_mut(), moments_w.1.iter_mut(), settings.lr, fix);
        adam(b.iter_mut(), grad_b.iter(), moments_b.0.iter_mut(), moments_b.1.iter_mut(), settings.lr, fix);
        now.weight = w.mapv(|v| v as f32);
        now.bias = b.mapv(|v| v as f32);
    }
    Ok(now)
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

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, Streams};
    use rand::Rng;

    fn loss(head: &Head, samples: &Samples) -> f64 {
        let logits = head.logits(samples.features.view()).unwrap();
        let cases = Cases { negatives: (0..samples.len()).collect(), positives: vec![0] };
        crate::evaluate_whole(&logits, &samples.labels, &cases, &[]).loss_neg
    }

    #[test]
    fn few_weights_do_most_of_what_all_do() {
        let mut rng = Streams::new(2).named("finetune");
        // class 1 differs in feature 3 alone, which the layer does not look at
        let labels = (0..200u32).map(|i| ClassId(i % 3)).collect::<Vec<_>>();
        let features = Array2::from_shape_fn((200, 8), |(i, d)| {
            rng.gen_range(0.0f32..1.0) + if d == 3 && i % 3 == 1 { 2.0 } else { 0.0 }
        });
        let samples = Samples::new(features, labels, 3).unwrap();
        let head = Head::new(Array2::zeros((3, 8)), Array1::zeros(3), "fc").unwrap();
        let cases = Cases { negatives: (0..200).filter(|i| i % 3 == 1).collect(), positives: vec![0, 2] };
        let settings = FineTune { steps: 300, lr: 0.02, ..FineTune::default() };
        let all = fine_tune(&head, &samples, &cases, &settings).unwrap();
        let few = fine_tune(&head, &samples, &cases, &FineTune { keep: Some(2), ..settings }).unwrap();
        assert_eq!((all.len(), few.len()), (27, 2));
        let third = few.iter().filter(|c| c.weight.index.last() == Some(&3)).count();
        assert!(third >= 1, "{few:?}");
        let wrong = samples.select(&cases.negatives);
        let (as_is, with_all, with_few) = (
            loss(&head, &wrong),
            loss(&head.patched(&all).unwrap(), &wrong),
            loss(&head.patched(&few).unwrap(), &wrong),
        );
        assert!(as_is - with_few > 0.5 * (as_is - with_all), "{as_is} {with_all} {with_few}");
        assert!(fine_tune(&head, &samples, &cases, &FineTune { keep: Some(0), ..settings }).is_err());
    }
}
