use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{ClassId, Purpose, metrics::Change};
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

/// Judges on the holdout, once, at the end; `after` is `None` when nothing was repaired.
///
/// # Errors
/// When libtorch fails.
pub fn evaluate(
    session: &Session,
    run: &mut Run<'_>,
    before: &Model,
    after: Option<&Model>,
) -> Result<Evaluation, Error> {
    run.stage("evaluate", |run| {
        let holdout = &session.splits.holdout;
        let classes = |model: &Model| Ok::<_, Error>(predict(model, &holdout.images, &session.normalizer)?.classes());
        let raw = classes(&session.model)?;
        let before = classes(before)?;
        let after = after.map_or_else(|| Ok(before.clone()), classes)?;
        let truth = run.ledger.reveal(&holdout.labels, Purpose::Evaluate, "evaluate").to_vec();
        let evaluation = Evaluation {
            before_after: Change::between(&before, &after, &truth),
            raw_after: Change::between(&raw, &after, &truth),
            predictions: [raw, before, after],
        };
        Ok((evaluation, Cost { images_forward: 3 * holdout.images.len() as u64, ..Cost::default() }))
    })
}
