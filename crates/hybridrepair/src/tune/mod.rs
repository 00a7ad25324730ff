//! The learning rate found by itself.

mod config;
mod files;
mod layers;
mod network;

pub use config::{RepairTuneConfig, TuneConfig};
pub(crate) use files::TuneFiles;
pub(crate) use network::{start_loss, told};

use crate::{Error, Progress, TrainConfig};
use hybridrepair_core::Streams;
use hybridrepair_data::{Normalizer, Splits};
use hybridrepair_runs::write_config;
use hybridrepair_torch::{DeviceChoice, Runtime, RuntimeConfig};
use hybridrepair_tune::{Choice, Lab, Probe, TuneError, find, search, then_weight_decay};
use network::{Bench, Task};
use rand::seq::SliceRandom;
use std::path::Path;

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// The rate, with the reason.
    pub choice: Choice,
    /// All that was trained, in the order of the rates.
    pub probes: Vec<Probe>,
}

/// Finds a learning rate, and writes `probes.jsonl`, `choice.toml` and a table per probe into `folder`. What is there already is
/// not trained again; a search that has ended is not run again.
///
/// # Errors
/// When a setting or the data cannot be used, when training fails for another reason than its rate, and when no rate trains.
pub fn tune(config: &TuneConfig, folder: &Path, progress: &mut dyn Progress) -> Result<Tuned, Error> {
    let device: DeviceChoice = config.train.device.parse()?;
    let runtime = Runtime::start(RuntimeConfig { device, threads: config.train.threads })?;
    let mut files = TuneFiles::open(folder.to_owned())?;
    if let Some(choice) = files.choice()? {
        return Ok(Tuned { choice, probes: sorted(files.probes()?) });
    }
    write_config(&folder.join("config.toml"), config)?;
    let mut splits = config.train.data.load()?;
    if let Some(n) = config.probe_images {
        shorten(&mut splits, n, config.train.seed);
    }
    let normalizer = Normalizer::new(splits.normalization)?;
    let known = files.probes()?;
    progress.begin("tune", Some(config.budget as u64));
    let task = Task::new(config, &splits, &normalizer, runtime.device)?;
    let mut bench = Bench::new(task, &mut files, progress, runtime);
    let mut searched = search(config.search(), &config.settings())?;
    let mut lab = Lab::new(&mut bench, known, config.limits())?;
    let found = find(&mut *searched, &mut lab, config.train.seed);
    let drawn = config.search() == "random";
    let found = match found {
        Ok(choice) if config.weight_decay && !drawn => then_weight_decay(choice, &mut lab),
        found => found,
    };
    let choice = match found {
        Ok(choice) => choice,
        Err(TuneError::Probe(why)) => return Err(bench.failed.take().unwrap_or(Error::Tune(TuneError::Probe(why)))),
        Err(error) => return Err(error.into()),
    };
    progress.end(false);
    files.finish(&choice, searched.trace())?;
    Ok(Tuned { choice, probes: sorted(files.probes()?) })
}

/// A training with what a search came to: the highest rate of its schedule, and the weight decay where it was searched for.
#[must_use]
pub fn with_choice(train: &TrainConfig, choice: &Choice) -> TrainConfig {
    let mut train = train.clone();
    train.schedule = train.schedule.with_peak(choice.lr);
    if let Some(wd) = choice.weight_decay {
        train.optimizer = train.optimizer.with_weight_decay(wd);
    }
    train
}

fn sorted(mut probes: Vec<Probe>) -> Vec<Probe> {
    probes.sort_by(|a, b| {
        let (p, q) = (a.point, b.point);
        p.lr.total_cmp(&q.lr).then(p.seed.cmp(&q.seed)).then(p.wd.unwrap_or(-1.0).total_cmp(&q.wd.unwrap_or(-1.0)))
    });
    probes
}

/// Keeps some training pictures, the same in every probe.
fn shorten(splits: &mut Splits, n: usize, seed: u64) {
    let mut rows = (0..splits.train.labels.len()).collect::<Vec<_>>();
    rows.shuffle(&mut Streams::new(seed).named("tune.images"));
    rows.truncate(n);
    rows.sort_unstable();
    splits.train = splits.train.select(&rows);
}
