use super::{Behind, Bought};
use crate::{Error, Run, Session};
use hybridrepair_core::{ClassId, Evidence, metrics::Change};
use hybridrepair_finetune::{GuardSettings, Watched};
use hybridrepair_runs::Metric;
use hybridrepair_torch::{Model, TorchError, predict, predict_rows};
use std::collections::BTreeMap;

/// Field pictures by which a collapse is seen: enough for the shares of the classes.
const FIELD_SAMPLE: usize = 2000;

/// What the guards compare with: the model before the repair, on pictures that no training sees and no result is judged on.
pub(super) struct Guard<'s> {
    session: &'s Session,
    /// Of the cheap tier: outputs of the frozen trunk stand for the pictures.
    behind: Option<&'s Behind>,
    rows: Vec<usize>,
    source: Vec<ClassId>,
    field: Vec<ClassId>,
    /// What was seen of epochs while training ran.
    judged: BTreeMap<usize, Judged>,
    /// Pictures that the guards had predicted.
    pub(super) images_forward: u64,
}

/// Refuses labels that contradict the deployed model far more than its own confidence lets expect.
///
/// # Errors
/// With the reason; the labels stay in the ledger, where they can be corrected.
pub fn believe(session: &Session, bought: &Bought, evidence: &Evidence) -> Result<(), Error> {
    let (guard, Some(probs)) = (&session.config.guard, &evidence.probs) else { return Ok(()) };
    if !guard.on {
        return Ok(());
    }
    let all = bought.labels.iter().chain(bought.judges.iter());
    let (mut labels, mut said, mut confidence) = (Vec::new(), Vec::new(), Vec::new());
    for label in all {
        let row = probs.row(label.idx.row());
        let best = (1..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best });
        labels.push(label.class);
        said.push(ClassId::from(best));
        confidence.push(row[best]);
    }
    guard.labels_objection(&labels, &said, &confidence).map_or(Ok(()), |why| Err(Error::Refused(why)))
}

/// A model as the guards see it.
#[derive(Clone)]
struct Judged {
    /// Why it must not go out.
    objection: Option<String>,
    /// Why it is a collapse.
    collapse: Option<String>,
    /// On the validation split, against the model before.
    change: Change,
}

impl<'s> Guard<'s> {
    /// Looks at the model before the repair.
    pub(super) fn new(session: &'s Session, before: &Model, behind: Option<&'s Behind>) -> Result<Self, Error> {
        let n = session.pool.len();
        // evenly spread over the pool
        let rows = (0..n.min(FIELD_SAMPLE)).map(|i| i * n / n.min(FIELD_SAMPLE)).collect();
        let (source, field, judged) = Default::default();
        let mut guard = Self { session, behind, rows, source, field, judged, images_forward: 0 };
        (guard.source, guard.field) = guard.look(before)?;
        Ok(guard)
    }

    fn look(&mut self, model: &Model) -> Result<(Vec<ClassId>, Vec<ClassId>), TorchError> {
        let splits = &self.session.splits;
        if let Some(behind) = self.behind {
            let field = behind.trunk.classes(model, &behind.weak.view(0));
            let field = self.rows.iter().map(|&row| field[row]).collect();
            return Ok((behind.trunk.classes(model, &behind.val), field));
        }
        let source = predict(model, &splits.val.images, &self.session.normalizer)?.classes();
        let field = predict_rows(model, &splits.field.images, &self.session.normalizer, &self.rows)?.classes();
        self.images_forward += (source.len() + field.len()) as u64;
        Ok((source, field))
    }

    /// The wished epoch when it is safe, else the last safe one before it. Of a model that has lost again what it had, the
    /// epoch that was best on the validation split.
    ///
    /// # Errors
    /// When no epoch is safe, with the reason, or libtorch fails.
    pub(super) fn choose(
        &mut self,
        run: &mut Run<'_>,
        wished: usize,
        load: impl Fn(usize) -> Result<Model, Error>,
    ) -> Result<usize, Error> {
        let mut judged = Vec::new();
        for epoch in 0..=wished {
            let seen = match self.judged.remove(&epoch) {
                Some(seen) => seen,
                None => self.judge(&load(epoch)?)?,
            };
            note(run, epoch, &seen)?;
            judged.push(seen);
        }
        let chosen = judged.iter().rposition(|j| j.objection.is_none());
        let objection = judged[wished].objection.clone();
        let Some(chosen) = chosen else {
            return Err(Error::Refused(format!("no epoch is safe: {}", objection.unwrap_or_default())));
        };
        let after = |epoch: usize| judged[epoch].change.after;
        let safe = (0..=chosen).filter(|&e| judged[e].objection.is_none());
        let best = safe.fold(chosen, |best, e| if after(e) > after(best) { e } else { best });
        let dropped = after(best) - after(chosen) > self.session.config.guard.margin;
        let kept = if dropped { best } else { chosen };
        if let Some(why) = objection {
            run.warn("finetune", &format!("epoch {} is not safe ({why}): epoch {} is kept", wished + 1, kept + 1))?;
        } else if dropped {
            let lost = 100.0 * (after(best) - after(chosen));
            let why = format!("{lost:.1} points of held-out accuracy were lost again by epoch {}", chosen + 1);
            run.warn("finetune", &format!("{why}: epoch {} is kept", kept + 1))?;
        }
        Ok(kept)
    }

    /// Looks at an epoch while training runs: its held-out accuracy, and why it is a collapse, if it is one.
    pub(super) fn watch(&mut self, epoch: usize, model: &Model) -> Result<(f64, Option<String>), Error> {
        let seen = self.judge(model)?;
        let told = (seen.change.after, seen.collapse.clone());
        self.judged.insert(epoch, seen);
        Ok(told)
    }

    /// Judges a model.
    fn judge(&mut self, model: &Model) -> Result<Judged, Error> {
        let (source, field) = self.look(model)?;
        let change = Change::between(&self.source, &source, &self.session.splits.val.labels);
        let watched = Watched { source: &change, field: (&self.field, &field) };
        let guard = &self.session.config.guard;
        let objection = guard.objection(&watched, &self.session.splits.class_names);
        let collapse = GuardSettings::collapse(watched.field);
        Ok(Judged { objection, collapse, change })
    }
}

/// Notes what was seen of an epoch.
fn note(run: &mut Run<'_>, epoch: usize, seen: &Judged) -> Result<(), Error> {
    let mut metric = Metric::of("guard");
    metric.epoch = Some(epoch as u64 + 1);
    metric.split = Some("val".to_owned());
    metric.acc1 = Some(seen.change.after);
    metric.more.insert("before".to_owned(), Some(seen.change.before));
    metric.more.insert("safe".to_owned(), Some(f64::from(u8::from(seen.objection.is_none()))));
    Ok(run.metrics.record(&metric)?)
}
