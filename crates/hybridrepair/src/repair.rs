use crate::{
    EpochRule, Error, Method, Progress, RepairConfig, Run, Session, Tier, Trainer,
    stages::{self, Bought, Evaluation},
};
use hybridrepair_core::{Evidence, Need, Selection};
use hybridrepair_embed::Extractor;
use hybridrepair_runs::{
    BudgetNumbers, Event, FieldEstimate, HoldoutNumbers, RunDir, Summary, write_config, write_json,
};
use hybridrepair_select::strategy;
use std::fs;

/// What a finished repair shows.
#[derive(Clone, Debug)]
pub struct Report {
    /// The numbers, as in `summary.json`.
    pub summary: Summary,
    /// The models' predictions on the holdout.
    pub evaluation: Evaluation,
    /// The epoch that was kept, from 0; `None` when nothing was trained.
    pub epoch: Option<usize>,
}

/// The whole pipeline: embed, score, cluster, select, annotate, propagate, fine-tune, evaluate.
///
/// Writes everything into the run's folder; a run that was interrupted goes on where it stopped, with the labels that it
/// has paid for.
///
/// # Errors
/// Those of the stages. What was written until then stays.
pub fn repair(session: &Session, dir: RunDir, progress: &mut dyn Progress) -> Result<Report, Error> {
    repair_with(session, dir, progress, false)
}

/// As [`repair`]; with `partial`, goes on with the answers that people have given so far.
///
/// # Errors
/// As [`repair`].
pub fn repair_with(
    session: &Session,
    dir: RunDir,
    progress: &mut dyn Progress,
    partial: bool,
) -> Result<Report, Error> {
    let config = &session.config;
    let method = Method::named(&config.method)?;
    if let (Some(strategy), None) = (&config.strategy, method.strategy) {
        let name = method.name;
        return Err(Error::Config(format!(
            "method {name} buys no labels, so strategy {strategy:?} has nothing to choose"
        )));
    }
    let rule_name = config.strategy.as_deref().or(method.strategy);
    // device and threads as they are: a resumed run must use the same
    let (device, threads) = (session.runtime.device_name(), Some(session.runtime.threads));
    write_config(&dir.layout().config(), &RepairConfig { device, threads, ..config.clone() })?;
    let layout = dir.layout().clone();
    let budget = if rule_name.is_some() { session.budget } else { 0 };
    if let Some(list) = session.splits.list.as_ref().filter(|_| config.data.folders.is_some()) {
        write_json(&layout.files(), &**list)?;
    }
    let mut run = Run::open(dir, budget, progress)?;
    run.partial = partial;
    let worked = work(session, &mut run, method, rule_name);
    if let Err(Error::Waiting(_)) = &worked {
        run.events.record(Event::RunEnd { exit: 3 })?;
    }
    worked
}

/// All stages of a run.
fn work(session: &Session, run: &mut Run<'_>, method: Method, rule_name: Option<&str>) -> Result<Report, Error> {
    let layout = run.dir.layout().clone();
    let mut bought = Bought::default();
    let mut evidence = Evidence::default();
    let mut selection = Selection::default();
    let cheap = session.config.tier == Tier::Cheap && method.trainer.takes_labels();
    // the cheap tier trains no trunk, so that its "before" is the model as it was deployed
    let before = if cheap { session.model.duplicate()? } else { stages::replay(session, run)? };
    if session.config.keep == EpochRule::MinEntropy && !method.trusts() && method.trainer.takes_labels() {
        let name = &session.config.method;
        let why =
            format!("keep = \"min-entropy\" has no effect: method {name} measures no entropy, its last epoch is kept");
        run.warn("finetune", &why)?;
    }
    let mut repaired = None;
    let mut behind = None;
    if let Some(rule_name) = rule_name {
        let needs = strategy(rule_name)?.needs();
        let field = stages::embed(session, run, &mut evidence)?;
        let source = stages::source_embeddings(session, run, &mut evidence)?;
        if cheap {
            behind = Some(stages::trunk(session, run, [&source, &field], &mut evidence)?);
        } else if needs.contains(Need::Views) || method.trusts() {
            stages::score(session, run, &mut evidence)?;
        }
        if needs.contains(Need::Regions) || method.spread {
            stages::cluster(session, run, &mut evidence)?;
        }
        stages::quality(session, run, &evidence)?;
        let judges = stages::random_share(session, run)?;
        selection = stages::select(session, run, rule_name, &evidence, &judges)?;
        stages::advise(session, run, &evidence, behind.as_ref())?;
        bought = stages::annotate(session, run, &selection, &judges, &evidence)?;
        stages::believe(session, &bought, &evidence)?;
        let mut labels = bought.labels.clone();
        if method.spread {
            labels = stages::propagate(session, run, &labels, &selection, &evidence)?;
        }
        let tau = method.trusts().then(|| stages::threshold(session, run, &evidence)).transpose()?;
        let taught = stages::Taught { labels, method, evidence: &evidence, tau, behind: behind.as_ref() };
        let lr = stages::tune(session, run, &before, &taught)?;
        repaired = Some(stages::finetune(session, run, &before, taught, lr)?);
    }
    if method.trainer == Trainer::ZeroLabel {
        repaired = Some(stages::zero_label(session, run, &before)?);
    }
    let evaluation = stages::evaluate(session, run, &before, repaired.as_ref(), &bought)?;
    let shown = stages::Shown { evidence: &evidence, selection: &selection, behind: behind.as_ref() };
    stages::describe(session, run, &shown, &evaluation, repaired.as_ref())?;
    let summary = summary(session, method, rule_name, run, &evaluation, repaired.is_some())?;
    summary.write(&layout.summary())?;
    run.events.record(Event::RunEnd { exit: 0 })?;
    if let Some(repaired) = &repaired {
        tidy(&layout, repaired.epochs.len());
    }
    Ok(Report { summary, evaluation, epoch: repaired.map(|r| r.epoch) })
}

fn summary(
    session: &Session,
    method: Method,
    rule: Option<&str>,
    run: &Run<'_>,
    evaluation: &Evaluation,
    repaired: bool,
) -> Result<Summary, Error> {
    let config = &session.config;
    let bought = run.ledger.bought();
    Ok(Summary {
        format_version: Summary::FORMAT_VERSION,
        method: config.method.clone(),
        strategy: rule.unwrap_or("none").to_owned(),
        trainer: method.trainer.name().to_owned(),
        preset: config.preset.name().to_owned(),
        tier: if method.trainer.takes_labels() { config.tier.name() } else { Tier::Full.name() }.to_owned(),
        features: config.extractor.parse::<Extractor>()?.name(),
        seed: config.seed,
        device: session.runtime.device_name(),
        threads: session.runtime.threads,
        budget: BudgetNumbers::new(session.budget, session.pool.len()),
        labels_bought: bought,
        holdout: HoldoutNumbers::new(&evaluation.before_after, &evaluation.raw_after),
        random_share: evaluation
            .random_share
            .as_ref()
            .map(|change| FieldEstimate::new(change, session.splits.holdout.images.is_empty())),
        holdout_inputs_used: method.trusts() && config.threshold.fixed.is_none() && config.threshold.on_holdout,
        images_trained: run.images_trained,
        images_forward: run.images_forward,
        images_pretrain: run.images_pretrain,
        seconds: run.seconds.clone(),
        checkpoint: repaired.then(|| run.dir.layout().relative(&run.dir.layout().checkpoint("best"))),
    })
}

/// Once the summary is there, removes what only a resumed run would need; the last epoch stays as `last`.
fn tidy(layout: &hybridrepair_runs::Layout, epochs: usize) {
    let epoch_file = |epoch: usize| layout.checkpoint(&hybridrepair_runs::Layout::epoch_name(epoch));
    for epoch in 0..epochs {
        let file = epoch_file(epoch);
        // what cannot be removed or renamed does no harm
        let _ = if epoch + 1 == epochs { fs::rename(&file, layout.checkpoint("last")) } else { fs::remove_file(&file) };
    }
    let _ = fs::remove_file(layout.checkpoint("state"));
}
