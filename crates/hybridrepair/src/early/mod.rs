//! When to stop training and repair instead: a checkpoint per epoch, repairs of each, and which of them is the best.

mod analysis;
mod checkpoints;
mod config;
mod gpus;
mod grid;
mod page;

pub use analysis::{ClassReport, EarlyReport, EpochRow, Rule};
pub use config::EarlyConfig;
pub use grid::Cell;

use crate::{Error, Progress, RepairPart, holdout};
use analysis::analyse;
use checkpoints::{Trained, train_all};
use grid::{Prepared, fill};
use hybridrepair_core::Streams;
use hybridrepair_data::Normalizer;
use hybridrepair_patch::roles;
use hybridrepair_runs::{Environment, LedgerFile, RunDir, write_atomic, write_config, write_json};
use hybridrepair_torch::{DeviceChoice, Runtime, RuntimeConfig, libtorch_version};

/// Seed of the cut into samples for the search and for the choice: part of the data, not of the run.
const ROLES_SEED: u64 = 10;

/// Trains, repairs every checkpoint, and writes `early.json`, `early.html` and `grid.jsonl` into the run. What is there
/// already is not done again.
///
/// # Errors
/// When a setting or the data cannot be used, or training diverges.
pub fn early(config: &EarlyConfig, dir: &RunDir, progress: &mut dyn Progress) -> Result<EarlyReport, Error> {
    config.check()?;
    let device: DeviceChoice = config.train.device.parse()?;
    let runtime = Runtime::start(RuntimeConfig { device, threads: config.train.threads })?;
    let splits = config.train.data.load()?;
    let normalizer = Normalizer::new(splits.normalization)?;
    let layout = dir.layout();
    write_config(&layout.config(), config)?;
    let mut env = Environment::of_this_process(&runtime.device_name(), runtime.threads);
    env.libraries.insert("libtorch".to_owned(), libtorch_version());
    write_json(&layout.environment(), &env)?;
    for note in &splits.notes {
        progress.say(&format!("data: {note}"));
    }
    let part: RepairPart = config.part.parse()?;
    let n = config.budget.count(part.len(&splits))?;
    let (mut file, mut ledger) = LedgerFile::open(&layout.ledger(), n)?;
    let repair = part.draw(&splits, n, &mut ledger);
    let test = holdout(&splits, &mut ledger);
    file.sync(&ledger)?;
    let trained: Vec<Trained> = train_all(config, &splits, dir, runtime, progress)?;
    let (search, choice) = roles(&repair.labels, config.choose_share, Streams::new(ROLES_SEED));
    let sides = [repair.select(&search), repair.select(&choice), test];
    progress.begin("features", None);
    let prepared = trained.iter().map(|t| Prepared::new(t, &sides, &normalizer, runtime.device));
    let prepared = prepared.collect::<Result<Vec<_>, _>>()?;
    progress.end(false);
    let classes = config.classes(&splits.class_names, &prepared)?;
    progress.begin("repair", None);
    let cells = fill(config, &classes, &prepared, dir, progress)?;
    progress.end(false);
    let report = analyse(config, &splits.class_names, &classes, &prepared, &cells)?;
    write_json(&dir.path().join("early.json"), &report)?;
    write_atomic(&dir.path().join("early.html"), page::page(&report, config).as_bytes())?;
    Ok(report)
}
