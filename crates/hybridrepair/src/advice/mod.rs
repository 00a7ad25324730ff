//! What a repair will gain, before its labels are bought.

mod recorded;

use crate::{Error, Method, Preset, Session, Tier};
use hybridrepair_core::{
    Probs,
    forecast::{Forecaster, Round},
    intervals::Interval,
};
use hybridrepair_embed::Extractor;
use hybridrepair_runs::{Advice, Earlier, Fingerprint, Foretold, Kind, earlier_runs, training_of};
use hybridrepair_torch::predict_rows;
use recorded::RECORDED;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The budgets that are told: this one, and so many times as much.
const TIMES: [usize; 3] = [1, 2, 4];

/// Pictures of each side that a dry run looks at.
const GLANCE: usize = 512;

/// Seconds that a dry run takes for it.
const GLANCE_SECONDS: f64 = 10.0;

impl Session {
    /// What a repair will gain, from a glance at some pictures; its run will be `planned`, among others of its folder.
    ///
    /// # Errors
    /// When libtorch fails or the model gives NaN.
    pub fn glance(&self, planned: &Path, images_per_second: f64) -> Result<Advice, Error> {
        let most = ((images_per_second * GLANCE_SECONDS / 2.0) as usize).clamp(32, GLANCE);
        let look = |images: &hybridrepair_data::Images, name: &str| {
            let mut rng = self.streams.named(name);
            let mut rows = rand::seq::index::sample(&mut rng, images.len(), most.min(images.len())).into_vec();
            rows.sort_unstable();
            let out = predict_rows(&self.model, images, &self.normalizer, &rows)?;
            Ok::<_, Error>(Probs::from_logits(&out.logits)?)
        };
        let field = look(&self.splits.field.images, "glance.field")?;
        let source = self.held_out.then(|| look(&self.splits.val.images, "glance.val")).transpose()?;
        let parent = planned.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut advice = foretell(self, source.as_ref(), Some(&field), Some(parent.to_owned()), Some(planned))?;
        advice.remarks.push(format!("by a glance at {most} pictures of each side at most"));
        Ok(advice)
    }
}

/// The advice of a session: `source` and `field` are what the deployed model says to the validation split and to the pool.
pub(crate) fn foretell(
    session: &Session,
    source: Option<&Probs>,
    field: Option<&Probs>,
    beside: Option<PathBuf>,
    own: Option<&Path>,
) -> Result<Advice, Error> {
    let c = &session.config;
    let confidences = source.zip(field).map(|(source, field)| (confidence(source), confidence(field)));
    let earlier = beside.map(|folder| earlier_of(session, &folder, own)).transpose()?.unwrap_or_default();
    let rounds = earlier.iter().map(Earlier::round).collect::<Vec<_>>();
    let method = Method::named(&c.method)?;
    // what was recorded are repairs of this kind
    let known = method == Method::named("coverage")? && c.strategy.is_none() && c.preset == Preset::Default;
    let recorded = known && c.tier != Tier::Cheap && confidences.is_some();
    let classes = session.splits.class_names.len();
    let forecaster = Forecaster::fit(RECORDED);
    let gain = |labels: usize| -> Option<Interval> {
        let f = forecaster.as_ref()?;
        match confidences {
            Some((source, field)) if recorded => Some(f.gain(source - field, labels, classes, &rounds)),
            _ => f.gain_by_rounds(labels, classes, &rounds),
        }
    };
    let budgets = TIMES.map(|times| times * session.picks);
    let affordable = budgets.into_iter().filter(|&labels| labels == session.picks || labels <= session.pool.len());
    let forecasts = affordable.filter_map(|labels| Some(Foretold { labels, gain: gain(labels)? })).collect::<Vec<_>>();
    let sets = RECORDED.iter().map(|r| r.what).collect::<BTreeSet<_>>().len();
    let stands = recorded && !forecasts.is_empty();
    Ok(Advice {
        format_version: 1,
        source_confidence: confidences.map(|(source, _)| source),
        field_confidence: confidences.map(|(_, field)| field),
        classes,
        forecasts,
        recorded: if stands { [RECORDED.len(), sets] } else { [0, 0] },
        earlier,
        remarks: remarks(session, &rounds, confidences.map(|(source, field)| source - field).filter(|_| stands)),
    })
}

/// What limits the forecast.
fn remarks(session: &Session, rounds: &[Round], fall: Option<f64>) -> Vec<String> {
    let mut remarks = Vec::new();
    if !session.held_out {
        remarks.push(
            "there are no source pictures that the model has not learned from: how far its confidence falls is not known".to_owned(),
        );
    } else if session.config.data.folders.as_ref().is_some_and(|f| f.val.is_none()) {
        remarks.push(
            "the held-out pictures are a part of --train, which the model may have learned: name --val, or take the prediction for too high"
                .to_owned(),
        );
    }
    let (least, most) =
        RECORDED.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), r| (l.min(r.fall), m.max(r.fall)));
    if fall.is_some_and(|fall| !(least - 0.02..=most + 0.02).contains(&fall)) && rounds.is_empty() {
        remarks.push("no recorded field was so far from its source, or so near: this is an extrapolation".to_owned());
    }
    if session.config.annotate.error_rate > 0.0 {
        remarks.push("recorded repairs had right answers; with wrong ones expect less".to_owned());
    }
    remarks
}

/// Mean probability of the class that the model says.
fn confidence(probs: &Probs) -> f64 {
    let best = probs.view().outer_iter().map(|row| f64::from(row.iter().copied().fold(0.0, f32::max))).sum::<f64>();
    best / probs.len() as f64
}

/// Finished runs of the session's kind in a folder.
fn earlier_of(session: &Session, folder: &Path, own: Option<&Path>) -> Result<Vec<Earlier>, Error> {
    let c = &session.config;
    let Some(file) = c.model_file() else { return Ok(Vec::new()) };
    let method = Method::named(&c.method)?;
    let (data, model) = (session.data_key().to_string(), Fingerprint::of_file(file)?.to_string());
    let strategy = c.strategy.as_deref().or(method.strategy).unwrap_or("none");
    let (preset, features) = (c.preset.name(), c.extractor.parse::<Extractor>()?.name());
    let how = [c.method.as_str(), strategy, method.trainer.name(), preset, c.tier.name(), features.as_str()];
    let table = toml::Table::try_from(c).map_err(|e| Error::Config(e.to_string()))?;
    let (training, annotate) = (training_of(&table), &c.annotate);
    let (answers, error_rate) = (annotate.answers, annotate.error_rate);
    let kind = Kind { data: &data, model: &model, how, answers, error_rate, training: &training };
    Ok(earlier_runs(folder, own, &kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_that_of_the_class_that_is_said() {
        let probs = Probs::new(ndarray::array![[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]]).unwrap();
        assert!((confidence(&probs) - 0.7).abs() < 1e-6);
    }
}
