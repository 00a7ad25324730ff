use super::{Behind, Taught, zero_label::LIMIT};
use crate::{Error, Method, Session, Unlabelled};
use hybridrepair_core::{
    Evidence, LabelSet, PoolIdx, Probs, RepairSet, Selection, Target,
    prior::{class_frequencies, em_prior},
};
use hybridrepair_finetune::{
    Draw, KeptData, MatchData, MatchRule, MatchSettings, Matching, RepairData, TwoPass, UnlabelledStream,
};
use hybridrepair_propagate::{GraphLabels, Propagator};
use hybridrepair_train::{Objective, OptimSpec, Schedule};
use std::collections::BTreeSet;

/// What a trainer teaches, and how.
pub(super) struct Lesson {
    pub(super) objective: Box<dyn Objective>,
    pub(super) optimizer: OptimSpec,
    pub(super) schedule: Schedule,
    pub(super) epochs: usize,
    /// Steps of an epoch, and pictures of a step, about.
    pub(super) steps: usize,
    pub(super) images_per_step: usize,
}

/// The lesson of a method's trainer, at the recipe's learning rate or another one.
pub(super) fn lesson(session: &Session, taught: Taught<'_>, lr: Option<f64>) -> Result<Lesson, Error> {
    let Taught { labels, method, evidence, tau, behind } = taught;
    let mut lesson = match (behind, method.trainer.rule()) {
        (Some(behind), rule) => cheap(session, labels, rule, evidence, behind),
        (None, Some(rule)) => matching(session, labels, rule, evidence),
        (None, None) => two_pass(session, labels, method, evidence, tau),
    }?;
    if let Some(lr) = lr {
        lesson.schedule = lesson.schedule.with_peak(lr);
    }
    Ok(lesson)
}

/// Weak-to-strong training of what lies behind a frozen trunk; without a rule, on known labels alone.
fn cheap(
    session: &Session,
    labels: LabelSet,
    rule: Option<MatchRule>,
    evidence: &Evidence,
    behind: &Behind,
) -> Result<Lesson, Error> {
    let c = &session.config.cheap;
    let settings = session.config.cheap_matching(session.pool.len(), rule.is_some());
    let prior = evidence.probs.as_ref().map(|probs| field_prior(session, probs, &labels));
    let source = behind.classes.clone();
    let spread = spread(session, &labels, evidence)?;
    let data = KeptData { kept: behind.kept(), source, labels, prior, streams: session.streams };
    Ok(Lesson {
        optimizer: settings.optimizer(),
        schedule: Schedule::Cosine { lr: c.lr, warmup: 0.0 },
        epochs: c.epochs,
        steps: settings.steps_per_epoch(session.pool.len()),
        images_per_step: settings.images_per_step(session.pool.len()),
        objective: Box::new(Matching::behind(data, rule.unwrap_or(MatchRule::FixMatch), settings)?.guided(&spread)),
    })
}

impl crate::RepairConfig {
    /// The settings of weak-to-strong training in the cheap tier, for a pool of `field` pictures.
    pub fn cheap_matching(&self, field: usize, guesses: bool) -> MatchSettings {
        let once = MatchSettings { around: 1, ..self.matching.clone() };
        let steps = self.cheap.epochs * once.steps_per_epoch(field);
        let around = self.cheap.steps.div_ceil(steps.max(1)).max(self.matching.around);
        MatchSettings { around, weight: if guesses { once.weight } else { 0.0 }, ..once }
    }
}

fn matching(session: &Session, labels: LabelSet, rule: MatchRule, evidence: &Evidence) -> Result<Lesson, Error> {
    let settings = session.config.matching.clone();
    let prior = evidence.probs.as_ref().map(|probs| field_prior(session, probs, &labels));
    let replay = session.replay();
    let field = session.splits.field.images.clone();
    let spread = spread(session, &labels, evidence)?;
    let data = MatchData { replay, field, labels, prior };
    Ok(Lesson {
        optimizer: settings.optimizer(),
        schedule: Schedule::Cosine { lr: settings.lr, warmup: 0.0 },
        epochs: settings.epochs,
        steps: settings.steps_per_epoch(session.pool.len()),
        images_per_step: settings.images_per_step(session.pool.len()),
        objective: Box::new(Matching::new(data, rule, settings)?.guided(&spread)),
    })
}

/// Bought labels spread along the graph of the field's nearest neighbours, where that is asked for.
fn spread(session: &Session, labels: &LabelSet, evidence: &Evidence) -> Result<LabelSet, Error> {
    if session.config.matching.guide == 0.0 {
        return Ok(LabelSet::default());
    }
    let (regions, x) = (evidence.regions.as_ref(), evidence.embeddings.as_ref());
    Ok(GraphLabels::default().propagate(labels, &Selection::default(), regions, x)?)
}

/// Class frequencies of the field: half from the predictions, half from the labels where there are at least five per class.
///
/// Each alone misleads: predictions know nothing of a class that the source lacks, and bought labels are no random sample.
fn field_prior(session: &Session, probs: &Probs, labels: &LabelSet) -> Vec<f32> {
    let classes = probs.classes();
    let source = class_frequencies(&session.splits.train.labels, classes);
    let predicted = em_prior(probs, &source, LIMIT, 100);
    let bought = labels.iter().map(|l| l.class).collect::<Vec<_>>();
    let seen = class_frequencies(&bought, classes);
    let share = if bought.len() >= 5 * classes { 0.5 } else { 0.0 };
    predicted.iter().zip(&seen).map(|(p, s)| ((1.0 - share) * p + share * s) as f32).collect()
}

fn two_pass(
    session: &Session,
    labels: LabelSet,
    method: Method,
    evidence: &Evidence,
    tau: Option<f64>,
) -> Result<Lesson, Error> {
    let mut settings = session.config.finetune.clone();
    let unlabelled = unlabelled(method, evidence, tau, &labels, session.pool.len());
    if method.unlabelled.is_none() {
        settings.consistency = None;
    }
    let in_order = settings.consistency.as_ref().is_some_and(|c| c.fixed_order);
    let data = RepairData {
        replay: session.replay(),
        field: session.splits.field.images.clone(),
        normalization: session.splits.normalization,
        set: RepairSet { labels, unlabelled },
        stream: stream(method, in_order),
        probe: session.probe()?,
    };
    Ok(Lesson {
        optimizer: session.optimizer(),
        schedule: Schedule::Constant { lr: settings.lr },
        epochs: settings.epochs,
        steps: (session.splits.train.images.len() / settings.batch_size).max(1),
        images_per_step: settings.batch_size,
        objective: Box::new(TwoPass::new(data, settings)?),
    })
}

/// Which unlabelled samples are trusted, and how often they are drawn: weight `1 - u` for `u <= tau`.
fn trusted(evidence: &Evidence, tau: f64) -> Vec<Target> {
    let Some(views) = &evidence.views else { return Vec::new() };
    let u = views.unsmoothness();
    let trusted = u.iter().enumerate().filter(|(_, u)| f64::from(**u) <= tau);
    trusted.map(|(row, &u)| Target { idx: PoolIdx::from(row), weight: 1.0 - u }).collect()
}

/// The unlabelled samples of a method, with their weights.
fn unlabelled(method: Method, evidence: &Evidence, tau: Option<f64>, labels: &LabelSet, n: usize) -> Vec<Target> {
    let all = (0..n).map(|row| Target { idx: PoolIdx::from(row), weight: 1.0 });
    match method.unlabelled {
        None => Vec::new(),
        Some(Unlabelled::Trusted) => tau.map(|tau| trusted(evidence, tau)).unwrap_or_default(),
        Some(Unlabelled::Whole) => all.collect(),
        Some(Unlabelled::Rest) => {
            let bought = labels.iter().map(|l| l.idx).collect::<BTreeSet<_>>();
            all.filter(|t| !bought.contains(&t.idx)).collect()
        }
    }
}

/// How the unlabelled stream is made.
fn stream(method: Method, in_order: bool) -> UnlabelledStream {
    let draw = match method.unlabelled {
        Some(Unlabelled::Rest | Unlabelled::Whole) if in_order => Draw::InOrder,
        Some(Unlabelled::Rest | Unlabelled::Whole) => Draw::Shuffled,
        _ => Draw::Weighted,
    };
    UnlabelledStream { draw, labels: method.unlabelled != Some(Unlabelled::Rest) }
}
