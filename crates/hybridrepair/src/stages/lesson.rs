use super::zero_label::LIMIT;
use crate::{Error, Method, Session, Unlabelled};
use hybridrepair_core::{
    Evidence, LabelSet, PoolIdx, Probs, RepairSet, Target,
    prior::{class_frequencies, em_prior},
};
use hybridrepair_finetune::{Draw, MatchData, MatchRule, Matching, RepairData, TwoPass, UnlabelledStream};
use hybridrepair_train::{Objective, OptimSpec, Schedule};
use std::collections::BTreeSet;

/// What a trainer teaches, and how.
pub(super) struct Lesson {
    pub(super) objective: Box<dyn Objective>,
    pub(super) optimizer: OptimSpec,
    pub(super) schedule: Schedule,
    pub(super) epochs: usize,
}

/// What a trainer teaches from.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Bought labels, spread where the method does so.
    pub labels: &'a LabelSet,
    /// The method.
    pub method: Method,
    /// What is known about the pool.
    pub evidence: &'a Evidence,
    /// The threshold on unsmoothness, where the method has one.
    pub tau: Option<f64>,
}

/// The lesson of a method's trainer, at the recipe's learning rate or another one.
pub(super) fn lesson(session: &Session, material: &Material<'_>, lr: Option<f64>) -> Result<Lesson, Error> {
    let &Material { labels, method, evidence, tau } = material;
    let labels = labels.clone();
    let mut lesson = match method.trainer.rule() {
        Some(rule) => matching(session, labels, rule, evidence)?,
        None => two_pass(session, labels, method, evidence, tau)?,
    };
    if let Some(lr) = lr {
        lesson.schedule = lesson.schedule.with_peak(lr);
    }
    Ok(lesson)
}

fn matching(session: &Session, labels: LabelSet, rule: MatchRule, evidence: &Evidence) -> Result<Lesson, Error> {
    let settings = session.config.matching.clone();
    let prior = evidence.probs.as_ref().map(|probs| field_prior(session, probs, &labels));
    let replay = session.replay();
    let field = session.splits.field.images.clone();
    let data = MatchData { replay, field, labels, prior };
    let (momentum, weight_decay) = (settings.momentum, settings.weight_decay);
    Ok(Lesson {
        optimizer: OptimSpec::Sgd { momentum, weight_decay, nesterov: true },
        schedule: Schedule::Cosine { lr: settings.lr, warmup: 0.0 },
        epochs: settings.epochs,
        objective: Box::new(Matching::new(data, rule, settings)?),
    })
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
