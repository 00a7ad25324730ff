use super::{Behind, Bought};
use crate::{Error, Run, Session};
use hybridrepair_core::{ClassId, Evidence, metrics::Change};
use hybridrepair_finetune::Watched;
use hybridrepair_runs::Metric;
use hybridrepair_torch::{Model, TorchError, predict, predict_rows};

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
struct Judged {
    /// Why it must not go out.
    objection: Option<String>,
    /// On the validation split, against the model before.
    change: Change,
}

impl<'s> Guard<'s> {
    /// Looks at the model before the repair.
    pub(super) fn new(session: &'s Session, before: &Model, behind: Option<&'s Behind>) -> Result<Self, Error> {
        let n = session.pool.len();
        // evenly spread over the pool
        let rows = (0..n.min(FIELD_SAMPLE)).map(|i| i * n / n.min(FIELD_SAMPLE)).collect();
        let mut guard = Self { session, behind, rows, source: Vec::new(), field: Vec::new(), images_forward: 0 };
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
            judged.push(self.judge(run, epoch, &load(epoch)?)?);
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

    /// Judges the model of an epoch, and notes what was seen.
    fn judge(&mut self, run: &mut Run<'_>, epoch: usize, model: &Model) -> Result<Judged, Error> {
        let (source, field) = self.look(model)?;
        let change = Change::between(&self.source, &source, &self.session.splits.val.labels);
        let watched = Watched { source: &change, field: (&self.field, &field) };
        let objection = self.session.config.guard.objection(&watched, &self.session.splits.class_names);
        let mut metric = Metric::of("guard");
        metric.epoch = Some(epoch as u64 + 1);
        metric.split = Some("val".to_owned());
        metric.acc1 = Some(change.after);
        metric.more.insert("before".to_owned(), Some(change.before));
        metric.more.insert("safe".to_owned(), Some(f64::from(u8::from(objection.is_none()))));
        run.metrics.record(&metric)?;
        Ok(Judged { objection, change })
    }
}
