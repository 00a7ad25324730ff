use super::Repaired;
use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{
    ClassId, Purpose,
    metrics::{Change, accuracy},
};
use hybridrepair_runs::Metric;
use hybridrepair_torch::{Model, predict};

/// Three models on the holdout.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// "Before" (replay fine-tune) against the repaired model.
    pub before_after: Change,
    /// The deployed model against the repaired one.
    pub raw_after: Change,
    /// Predictions of the deployed, the "before" and the repaired model, in holdout order.
    pub predictions: [Vec<ClassId>; 3],
}

/// Judges on the holdout, once, at the end; `repaired` is `None` when nothing was repaired.
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
) -> Result<Evaluation, Error> {
    run.stage("evaluate", |run| {
        let holdout = &session.splits.holdout;
        let classes = |model: &Model| Ok::<_, Error>(predict(model, &holdout.images, &session.normalizer)?.classes());
        let raw = classes(&session.model)?;
        let before = classes(before)?;
        let after = repaired.map_or_else(|| Ok(before.clone()), |r| classes(&r.model))?;
        let certain = repaired.and_then(|r| r.least_entropy.as_ref());
        let certain = certain.map(|(epoch, model)| classes(model).map(|c| (*epoch, c))).transpose()?;
        let truth = run.ledger.reveal(&holdout.labels, Purpose::Evaluate, "evaluate").to_vec();
        let mut models = 2 + u64::from(repaired.is_some());
        if let Some((epoch, classes)) = certain {
            models += 1;
            let mut metric = Metric::of("evaluate-least-entropy");
            metric.epoch = Some(epoch as u64 + 1);
            metric.split = Some("holdout".to_owned());
            metric.acc1 = Some(accuracy(&classes, &truth));
            run.metrics.record(&metric)?;
        }
        let evaluation = Evaluation {
            before_after: Change::between(&before, &after, &truth),
            raw_after: Change::between(&raw, &after, &truth),
            predictions: [raw, before, after],
        };
        Ok((evaluation, Cost { images_forward: models * holdout.images.len() as u64, ..Cost::default() }))
    })
}
