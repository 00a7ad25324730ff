use super::{Bought, Repaired};
use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{
    ClassId, Purpose, SampleId,
    metrics::{Change, accuracy},
};
use hybridrepair_data::Images;
use hybridrepair_runs::Metric;
use hybridrepair_torch::{Model, predict};

/// Three models on the holdout, or, where there is none, on the random share of the field pool.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// "Before" (replay fine-tune) against the repaired model.
    pub before_after: Change,
    /// The deployed model against the repaired one.
    pub raw_after: Change,
    /// The deployed model against the repaired one on the random share, where there is one.
    pub random_share: Option<Change>,
    /// Predictions of the deployed, the "before" and the repaired model, in holdout order.
    pub predictions: [Vec<ClassId>; 3],
    /// The samples that they are of, with their classes.
    pub judged: Vec<(SampleId, ClassId)>,
}

/// Judges on the holdout, once, at the end, and on the random share; `repaired` is `None` when nothing was repaired.
///
/// The epoch of least entropy is judged too and noted in `metrics.jsonl`; the result does not depend on it.
///
/// # Errors
/// When libtorch fails.
pub fn evaluate(
    session: &Session,
    run: &mut Run<'_>,
    before: &Model,
    repaired: Option<&Repaired>,
    bought: &Bought,
) -> Result<Evaluation, Error> {
    run.stage("evaluate", |run| {
        let rows = bought.judges.iter().map(|l| l.idx.row()).collect::<Vec<_>>();
        let classes_of = bought.judges.iter().map(|l| l.class).collect::<Vec<_>>();
        let random = session.splits.field.images.select(&rows);
        let (judged, models) = judge(session, &random, before, repaired)?;
        let share = (!rows.is_empty()).then(|| Change::between(&judged[0], &judged[2], &classes_of));
        let mut forward = models * random.len() as u64;
        let holdout = &session.splits.holdout;
        let (predictions, truth, ids) = if holdout.images.is_empty() {
            if rows.is_empty() {
                return Err(Error::Config(
                    "no picture of the random share has a label: nothing judges the repair".to_owned(),
                ));
            }
            let ids = bought.judges.iter().map(|l| session.pool.id(l.idx)).collect::<Vec<_>>();
            (judged, classes_of, ids)
        } else {
            let (predictions, models) = judge(session, &holdout.images, before, repaired)?;
            forward += models * holdout.images.len() as u64;
            let truth = run.ledger.reveal(&holdout.labels, Purpose::Evaluate, "evaluate").to_vec();
            if let Some((epoch, model)) = repaired.and_then(|r| r.least_entropy.as_ref()) {
                forward += holdout.images.len() as u64;
                let classes = predict(model, &holdout.images, &session.normalizer)?.classes();
                let mut metric = Metric::of("evaluate-least-entropy");
                metric.epoch = Some(*epoch as u64 + 1);
                metric.split = Some("holdout".to_owned());
                metric.acc1 = Some(accuracy(&classes, &truth));
                run.metrics.record(&metric)?;
            }
            (predictions, truth, holdout.ids.clone())
        };
        let [raw, before, after] = &predictions;
        let evaluation = Evaluation {
            before_after: Change::between(before, after, &truth),
            raw_after: Change::between(raw, after, &truth),
            random_share: share,
            judged: ids.into_iter().zip(truth).collect(),
            predictions,
        };
        Ok((evaluation, Cost { images_forward: forward, ..Cost::default() }))
    })
}

/// Predictions of the deployed, the "before" and the repaired model, and how many models were asked.
fn judge(
    session: &Session,
    images: &Images,
    before: &Model,
    repaired: Option<&Repaired>,
) -> Result<([Vec<ClassId>; 3], u64), Error> {
    let classes = |model: &Model| Ok::<_, Error>(predict(model, images, &session.normalizer)?.classes());
    if images.is_empty() {
        return Ok(([Vec::new(), Vec::new(), Vec::new()], 0));
    }
    let raw = classes(&session.model)?;
    // of the cheap tier, "before" is the model as it was deployed
    let cheap = repaired.is_some_and(|r| r.cheap);
    let before = if cheap { raw.clone() } else { classes(before)? };
    let after = repaired.map_or_else(|| Ok(before.clone()), |r| classes(&r.model))?;
    Ok(([raw, before, after], 2 + u64::from(repaired.is_some()) - u64::from(cheap)))
}
