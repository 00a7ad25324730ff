use super::cached::{Images, cached};
use crate::{Error, Run, Session, session::parameters};
use hybridrepair_core::{Embeddings, Evidence};
use hybridrepair_kernels::mean_k_smallest_cosine_distance;
use hybridrepair_runs::{read_json, write_json};
use hybridrepair_torch::{predict, predict_views, predict_with};
use ndarray::Array1;

/// The unsmoothness below which an unlabelled sample is trusted (tau; `HybridRepair`, section 3.4; see `docs/fidelity.md`).
///
/// The density of a sample is the mean cosine distance of its logits to those of the nearest source samples; tau is the
/// mean unsmoothness of the samples whose density is closest to the average. Upstream does this on the *holdout's*
/// inputs; preset `corrected` does it on the field pool.
///
/// # Errors
/// When libtorch fails or the model gives NaN.
pub fn threshold(session: &Session, run: &mut Run<'_>, evidence: &Evidence) -> Result<f64, Error> {
    if let Some(fixed) = session.config.threshold.fixed {
        return Ok(fixed);
    }
    run.stage("threshold", |run| {
        let settings = &session.config.threshold;
        let views = session.config.finetune.consistency.clone().unwrap_or_default();
        let all = (settings, views.views, views.severity, views.max_depth, session.config.seed);
        let key = parameters(session.key("threshold", 1), &all)?;
        cached(
            session,
            run,
            &key,
            |_, folder| {
                let (tau, forward) = compute(session, evidence)?;
                write_json(&folder.join("tau.json"), &tau)?;
                Ok(Images { trained: 0, forward })
            },
            |folder| Ok(read_json::<f64>(&folder.join("tau.json"))?),
        )
    })
}

fn compute(session: &Session, evidence: &Evidence) -> Result<(f64, u64), Error> {
    let settings = &session.config.threshold;
    let train = &session.splits.train.images;
    // once through the random train transform, as upstream does
    let replay = session.replay();
    let size = session.size();
    let source = predict_with(&session.model, train.len(), size, |row, out| {
        let mut rng = replay.streams.at("threshold", 0, row as u64);
        replay.transform.apply(train.get(row), size, &replay.normalizer, &mut rng, out);
    })?;
    let judged = if settings.on_holdout { &session.splits.holdout.images } else { &session.splits.field.images };
    let logits = predict(&session.model, judged, &session.normalizer)?.logits;
    let mut forward = (train.len() + judged.len()) as u64;
    let unsmoothness = match &evidence.views {
        Some(views) if !settings.on_holdout => views.unsmoothness(),
        _ => {
            let rows = (0..judged.len()).collect::<Vec<_>>();
            let maker = session.views_of(judged, "views.threshold")?;
            let pass = predict_views(&session.model, &maker, session.size(), &rows)?;
            forward += pass.images_forward;
            pass.views.unsmoothness()
        }
    };
    let (queries, base) = (Embeddings::new(logits)?, Embeddings::new(source.logits)?);
    let neighbors = settings.neighbors.clamp(1, base.len());
    let density = mean_k_smallest_cosine_distance((&queries).into(), (&base).into(), neighbors)?;
    Ok((typical_unsmoothness(&density, &unsmoothness, settings.sample), forward))
}

/// Mean unsmoothness of the `sample` rows whose density is closest to the mean density, the first rows on ties.
fn typical_unsmoothness(density: &[f32], unsmoothness: &Array1<f32>, sample: usize) -> f64 {
    let mean = density.iter().map(|&d| f64::from(d)).sum::<f64>() / density.len() as f64;
    let mut rows = (0..density.len()).collect::<Vec<_>>();
    let distance = |row: usize| (f64::from(density[row]) - mean).abs();
    rows.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
    rows.truncate(sample.max(1));
    rows.iter().map(|&row| f64::from(unsmoothness[row])).sum::<f64>() / rows.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_typical_rows_decide() {
        // mean density 0.5: rows 1 and 2 are closest
        let tau = typical_unsmoothness(&[0.0, 0.4, 0.6, 1.0], &array![1.0, 0.2, 0.4, 1.0], 2);
        assert!((tau - 0.3).abs() < 1e-7);
        assert!((typical_unsmoothness(&[0.5], &array![0.25], 1000) - 0.25).abs() < 1e-7);
    }
}
