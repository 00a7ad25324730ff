//! Every checkpoint repaired for every class, by every method, from every seed.

use super::{EarlyConfig, checkpoints::Trained};
use crate::{Error, Progress};
use hybridrepair_core::ClassId;
use hybridrepair_data::{Labelled, Normalizer};
use hybridrepair_patch::{
    BiasCurve, Guard, Head, MethodSettings, NamedMethod, Objective, Outcome, PatchError, Positives, RepairRequest,
    Samples, TensorFile,
    early::{Quality, Readiness, probe},
    named_method, repair_head, seedless,
};
use hybridrepair_runs::{Fingerprint, JsonLines, RunDir, read_lines};
use hybridrepair_torch::{Device, load_checkpoint, predict};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Mutex, time::Instant};

/// A checkpoint's last layer with the samples in front of it, in their three roles.
pub(super) struct Prepared {
    pub(super) run: u64,
    pub(super) epoch: usize,
    file: TensorFile,
    pub(super) head: Head,
    pub(super) search: Samples,
    pub(super) choice: Samples,
    pub(super) test: Samples,
    /// What the checkpoint says by itself.
    pub(super) said_choice: Vec<ClassId>,
    pub(super) said_test: Vec<ClassId>,
}

impl Prepared {
    pub(super) fn new(
        t: &Trained,
        sides: &[Labelled; 3],
        normalizer: &Normalizer,
        device: Device,
    ) -> Result<Self, Error> {
        let (model, _) = load_checkpoint(&t.path, device)?;
        let file = TensorFile::read(&t.path)?;
        let head = Head::read(&file, None)?;
        let samples = |l: &Labelled| -> Result<Samples, Error> {
            let features = predict(&model, &l.images, normalizer)?.features;
            Ok(Samples::new(features, l.labels.clone(), head.classes())?)
        };
        let [search, choice, test] = [samples(&sides[0])?, samples(&sides[1])?, samples(&sides[2])?];
        let (said_choice, said_test) = (head.predict(choice.features.view())?, head.predict(test.features.view())?);
        Ok(Self { run: t.run, epoch: t.epoch, file, search, choice, test, said_choice, said_test, head })
    }

    /// Accuracy of predictions on the choosing samples (or the test), of a class and of all.
    pub(super) fn quality(said: &[ClassId], samples: &Samples, class: ClassId) -> Quality {
        let right = |keep: &dyn Fn(ClassId) -> bool| {
            let of = said.iter().zip(&samples.labels).filter(|(_, t)| keep(**t));
            let (n, hits) = of.fold((0usize, 0usize), |(n, h), (s, t)| (n + 1, h + usize::from(s == t)));
            hits as f64 / n.max(1) as f64
        };
        Quality { class: right(&|t| t == class), total: right(&|_| true) }
    }

    pub(super) fn readiness(&self, class: ClassId) -> Result<Readiness, Error> {
        Ok(probe(&self.head, &self.search, &self.choice, class)?)
    }
}

/// One repair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Hash of all it depends on.
    pub key: String,
    /// The training.
    pub run: u64,
    /// Epochs of it.
    pub epoch: usize,
    /// The class.
    pub class: ClassId,
    /// The method.
    pub method: String,
    /// The seed of the repair.
    pub seed: u64,
    /// Weights that it changed.
    pub weights: usize,
    /// Quality on the choosing samples.
    pub choice: Quality,
    /// Quality on the test.
    pub test: Quality,
    /// Repair rate on the test.
    pub rr: f64,
    /// Break rate on the test.
    pub br: f64,
    /// Repair rate minus that of the best moved threshold that breaks no more, on the test.
    pub above: f64,
    /// Which test samples are right, four to a hexadecimal digit.
    pub right: String,
    /// Why it may not be chosen, from the choosing samples; empty if it may.
    pub objections: Vec<String>,
    /// Seconds.
    pub seconds: f64,
}

/// A method by its name.
pub(super) fn method(name: &str, config: &EarlyConfig) -> Result<NamedMethod, Error> {
    let settings = MethodSettings {
        lambda: config.lambda,
        population: config.population,
        iterations: config.iterations,
        positives: Positives::Balanced { count: config.positives, margin: 1.0 },
    };
    named_method(name, &settings).map_err(|e| Error::Config(e.to_string()))
}

/// Which samples are right, four to a hexadecimal digit, the first in the highest bit.
fn bits(said: &[ClassId], truth: &[ClassId]) -> String {
    let right = said.iter().zip(truth).map(|(s, t)| s == t).collect::<Vec<_>>();
    let digit = |four: &[bool]| four.iter().enumerate().fold(0, |d, (i, &r)| d | (u32::from(r) << (3 - i)));
    right.chunks(4).filter_map(|four| char::from_digit(digit(four), 16)).collect()
}

/// What [`bits`] has written, for `n` samples; samples that it does not have are wrong.
pub(super) fn right_of(text: &str, n: usize) -> Vec<bool> {
    let digits = text.chars().map(|c| c.to_digit(16).unwrap_or(0)).collect::<Vec<_>>();
    (0..n).map(|i| digits.get(i / 4).is_some_and(|d| d >> (3 - i % 4) & 1 == 1)).collect()
}

/// Version of what a cell is computed by; another one makes all cells anew.
const VERSION: u32 = 2;

/// All cells, in order of run, class, method, epoch and seed. Each is written to `grid.jsonl` as soon as it is there; cells
/// of an earlier start that depend on the same things are taken from it.
pub(super) fn fill(
    config: &EarlyConfig,
    classes: &[ClassId],
    prepared: &[Prepared],
    dir: &RunDir,
    progress: &mut dyn Progress,
) -> Result<Vec<Cell>, Error> {
    let path = dir.path().join("grid.jsonl");
    let mut known = BTreeMap::new();
    if path.is_file() {
        known.extend(read_lines::<Cell>(&path)?.rows.into_iter().map(|cell| (cell.key.clone(), cell)));
    }
    let mut wanted = Vec::new();
    for p in prepared {
        let model = p.file.sha256();
        let samples = Fingerprint::of_f32(p.search.features.as_slice().unwrap_or_default()).to_string();
        for class in classes {
            for name in &config.methods {
                for seed in 0..if seedless(name) { 1 } else { config.repair_seeds } {
                    let depends = (
                        (VERSION, &model, &samples, class, name, seed),
                        (config.positives, config.lambda, config.population, config.iterations, config.guard),
                    );
                    let key = Fingerprint::of_value(&depends).map_err(|e| Error::Config(e.to_string()))?.to_string();
                    wanted.push((p, *class, name.as_str(), seed, key));
                }
            }
        }
    }
    progress.say(&format!(
        "{} repairs, {} of them are there",
        wanted.len(),
        wanted.iter().filter(|w| known.contains_key(&w.4)).count()
    ));
    let log = Mutex::new(JsonLines::open(&path)?);
    let run = |(p, class, name, seed, key): &(&Prepared, ClassId, &str, u64, String)| {
        if let Some(cell) = known.get(key) {
            return Ok(cell.clone());
        }
        let reference = prepared.iter().rfind(|other| other.run == p.run).unwrap_or(p);
        let cell = one(config, p, reference, *class, name, *seed, key)?;
        log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).append(&cell)?;
        Ok(cell)
    };
    let mut cells = wanted.par_iter().map(run).collect::<Result<Vec<_>, Error>>()?;
    cells.sort_by(|a, b| {
        let key = |c: &Cell| (c.run, c.class, c.method.clone(), c.epoch, c.seed);
        key(a).cmp(&key(b))
    });
    Ok(cells)
}

fn one(
    config: &EarlyConfig,
    p: &Prepared,
    reference: &Prepared,
    class: ClassId,
    name: &str,
    seed: u64,
    key: &str,
) -> Result<Cell, Error> {
    let began = Instant::now();
    let NamedMethod { method, fitness, positives, refine } = method(name, config)?;
    let found = repair_head(&RepairRequest {
        head: &p.head,
        precision: p.file.precision(&p.head.weight_name)?,
        samples: &p.search,
        class: Some(class),
        as_class: None,
        method: &method,
        positives,
        objective: Objective { fitness, guard: Guard::default() },
        protected: &[],
        refine,
        seed,
    });
    let changes = match found {
        Ok(found) => found.changes,
        // nothing is wrong, or nothing right: the checkpoint stays as it is
        Err(PatchError::NoCase(_)) => Vec::new(),
        Err(e) => return Err(e.into()),
    };
    let repaired = p.head.patched(&changes)?;
    let choice = repaired.predict(p.choice.features.view())?;
    let test = repaired.predict(p.test.features.view())?;
    let curve = BiasCurve::new(&p.head, &p.test, class)?;
    let outcome = Outcome::new(&p.said_test, &test, &p.test.labels, Some(class));
    Ok(Cell {
        key: key.to_owned(),
        run: p.run,
        epoch: p.epoch,
        class,
        method: name.to_owned(),
        seed,
        weights: changes.iter().filter(|c| c.new.to_bits() != c.old.to_bits()).count(),
        choice: Prepared::quality(&choice, &p.choice, class),
        test: Prepared::quality(&test, &p.test, class),
        rr: outcome.repair_rate(),
        br: outcome.break_rate(),
        above: outcome.repair_rate() - curve.at(outcome.break_rate()),
        right: bits(&test, &p.test.labels),
        objections: config.guard.objections(&choice, &reference.said_choice, &p.choice.labels, class),
        seconds: began.elapsed().as_secs_f64(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_ones_round_trip() {
        let truth = [ClassId(0); 6];
        let said = [0, 1, 0, 0, 1, 0].map(ClassId);
        assert_eq!(bits(&said, &truth), "b4");
        assert_eq!(right_of("b4", 6), [true, false, true, true, false, true]);
        assert_eq!(right_of("b", 6)[4..], [false, false]);
    }
}
