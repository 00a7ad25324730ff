//! A training under watch in a run directory, and its repair.

use super::{
    PlanRecipe,
    folder::{Attempts, BEFORE, Folder},
    recipe::trainer,
};
use crate::{Error, Progress};
use hybridrepair_core::Streams;
use hybridrepair_doctor::{
    Control, Ending, Finding, Job, Mode, MonitorSettings, Outcome, Plan, Solver, Trial, random_control,
};
use hybridrepair_doctor_torch::{Moment, Sink, Task, TorchTrainer};
use hybridrepair_runs::{Environment, Event, EventLog, Layout, RunDir, write_atomic, write_config, write_json};
use hybridrepair_torch::{DeviceChoice, Kind, Runtime, RuntimeConfig, libtorch_version, save_tensors};
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// What a training under watch came to.
#[derive(Clone, Debug)]
pub struct Treated {
    /// The training of the original plan.
    pub before: Trial,
    /// Its problems, each once.
    pub findings: Vec<Finding>,
    /// The search for a plan without them.
    pub outcome: Option<Outcome>,
    /// Remedies drawn at random, at the same cost.
    pub control: Option<Control>,
}

impl Treated {
    /// Whether a problem is left that the monitor was to end or to repair.
    pub fn refused(&self, mode: Mode) -> bool {
        match mode {
            Mode::Off | Mode::Watch => false,
            Mode::Stop => !self.findings.is_empty(),
            Mode::Repair => self.outcome.as_ref().is_some_and(|o| o.ending != Ending::Solved),
        }
    }

    /// The training whose weights are kept.
    pub fn kept(&self) -> &Trial {
        self.outcome.as_ref().map_or(&self.before, |o| &o.trial)
    }
}

/// Trains an editable plan under its monitor; goes on where an earlier process stopped.
///
/// # Errors
/// When a setting or the data cannot be used, libtorch fails, or a file cannot be written.
pub fn treat(recipe: &PlanRecipe, dir: &RunDir, progress: &mut dyn Progress) -> Result<Treated, Error> {
    recipe.check()?;
    let device: DeviceChoice = recipe.device.parse()?;
    let runtime = Runtime::start(RuntimeConfig { device, threads: Some(recipe.threads.unwrap_or(1)) })?;
    // written down as they are: a resumed run must use the same
    let recipe = &PlanRecipe { device: runtime.device_name(), threads: Some(runtime.threads), ..recipe.clone() };
    let task = recipe.task(runtime.device)?;
    let layout = dir.layout();
    write_config(&layout.config(), recipe)?;
    let mut env = Environment::of_this_process(&runtime.device_name(), runtime.threads);
    env.libraries.insert("libtorch".to_owned(), libtorch_version());
    write_json(&layout.environment(), &env)?;
    run(&task, &recipe.plan, &recipe.monitor, recipe.seed, layout, progress)
}

/// The same for any task whose run directory has its configuration already.
///
/// # Errors
/// As [`treat`].
pub fn treat_pictures(
    task: &dyn Task,
    plan: &Plan,
    monitor: &MonitorSettings,
    seed: u64,
    dir: &RunDir,
    progress: &mut dyn Progress,
) -> Result<Treated, Error> {
    run(task, plan, monitor, seed, dir.layout(), progress)
}

fn run(
    task: &dyn Task,
    plan: &Plan,
    monitor: &MonitorSettings,
    seed: u64,
    layout: &Layout,
    progress: &mut dyn Progress,
) -> Result<Treated, Error> {
    let events = Rc::new(RefCell::new(EventLog::open(&layout.events())?));
    events.borrow_mut().record(Event::RunStart { version: env!("CARGO_PKG_VERSION").to_owned() })?;
    write_plan(&layout.plan_before(), plan)?;
    let mut journal = Attempts::open(layout, events.clone())?;
    let mut folder = Folder::new(layout.clone(), events.clone(), progress);
    let streams = Streams::new(seed);
    let known = journal.before();
    let treated = {
        let mut torch = TorchTrainer { task, settings: monitor, sink: &mut folder };
        let (before, findings) = if let Some(known) = known {
            known
        } else {
            let job = Job { plan, name: BEFORE, epochs: plan.epochs, from: None };
            let watched = torch.watch(job, monitor.mode).map_err(trainer)?;
            journal.record_before(&watched.trial, &watched.findings)?;
            (watched.trial, watched.findings)
        };
        let mut treated = Treated { before, findings, outcome: None, control: None };
        if monitor.mode == Mode::Repair && !treated.findings.is_empty() {
            let good = monitor.thresholds.good.unwrap_or_else(|| {
                let facts = task.facts(plan, plan.epochs, monitor.interval);
                facts.chance + monitor.thresholds.good_share * (1.0 - facts.chance)
            });
            let solver = Solver::new(monitor, streams, &mut torch, &mut journal);
            let outcome = solver.solve(plan, &treated.before, Some(good))?;
            if monitor.control && outcome.models > 0.0 {
                let first = &treated.before;
                let control = random_control(plan, first, outcome.models, streams, &mut torch, &mut journal)?;
                treated.control = Some(control);
            }
            treated.outcome = Some(outcome);
        }
        treated
    };
    finish(layout, &mut folder, plan, &treated)?;
    let exit = if treated.refused(monitor.mode) { 5 } else { 0 };
    events.borrow_mut().record(Event::RunEnd { exit })?;
    Ok(treated)
}

/// Writes the kept plan and its best weights.
fn finish(layout: &Layout, folder: &mut Folder<'_>, plan: &Plan, treated: &Treated) -> Result<(), Error> {
    let kept = treated.outcome.as_ref().map_or(plan, |o| &o.plan);
    write_plan(&layout.plan_after(), kept)?;
    let text = serde_json::to_string(kept).map_err(|e| Error::Config(e.to_string()))?;
    // none where the first epoch broke off
    if let Some(weights) = folder.load(&treated.kept().name, Moment::Best) {
        let info = HashMap::from([("hybridrepair-plan".to_owned(), text)]);
        save_tensors(&layout.checkpoint("best"), &weights, Kind::Float, Some(info))?;
    }
    folder.failed.take().map_or(Ok(()), Err)
}

fn write_plan(path: &std::path::Path, plan: &Plan) -> Result<(), Error> {
    let text = toml::to_string(plan).map_err(|e| Error::Config(e.to_string()))?;
    Ok(write_atomic(path, text.as_bytes())?)
}
