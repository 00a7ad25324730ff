//! Probes of a real network, side by side on the cores.

use super::{
    TuneConfig,
    files::TuneFiles,
    layers::{Groups, gains, groups},
};
use crate::{Error, Progress, train::objective};
use hybridrepair_core::{ClassId, Streams, prior::class_frequencies};
use hybridrepair_data::{Normalizer, Splits};
use hybridrepair_torch::{
    Arch, DataFacts, Device, Model, ModelSpec, Runtime, open_checkpoint, open_script, predict_rows,
};
use hybridrepair_train::{
    At, EpochReading, Fit, Objective, Observer, Reading, Schedule, Supervised, TrainError, Verdict,
};
use hybridrepair_tune::{LayerGain, Point, Probe, ProbeEpoch, Prober, Ramped, TuneError, silent_share};
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Instant,
};

/// Batches that the loss before training is averaged over.
const START_BATCHES: usize = 8;
/// Most pictures of the validation split that an epoch is judged on.
const HELD_OUT: usize = 1000;

/// What all probes share; threads read it side by side.
pub(super) struct Task<'a> {
    pub(super) config: &'a TuneConfig,
    pub(super) splits: &'a Splits,
    pub(super) normalizer: &'a Normalizer,
    device: Device,
    groups: Groups,
    held_out: Vec<usize>,
}

impl<'a> Task<'a> {
    pub(super) fn new(
        config: &'a TuneConfig,
        splits: &'a Splits,
        normalizer: &'a Normalizer,
        device: Device,
    ) -> Result<Self, Error> {
        let n = splits.val.images.len();
        let held_out = (0..n.min(HELD_OUT)).map(|i| i * n / n.min(HELD_OUT)).collect();
        let mut task = Self { config, splits, normalizer, device, groups: Groups::new(), held_out };
        let model = task.model(0)?;
        model.check_trainable()?;
        task.groups = groups(&model, (splits.train.images.height(), splits.train.images.width()));
        Ok(task)
    }

    fn streams(&self, seed: u64) -> Streams {
        Streams::new(self.config.train.seed.wrapping_add(seed))
    }

    /// The model that a probe begins with.
    fn model(&self, seed: u64) -> Result<Model, Error> {
        let facts = DataFacts::from(self.splits);
        Ok(match (&self.config.checkpoint, &self.config.torchscript) {
            (Some(file), _) => open_checkpoint(file, self.device, &facts)?.0,
            (None, Some(file)) => open_script(file, self.device, &facts)?.0,
            (None, None) => {
                let train = &self.config.train;
                let arch = train.model.parse::<Arch>()?;
                let spec = ModelSpec { arch, width: train.width, classes: self.splits.classes() };
                Model::new(spec, self.device, self.streams(seed))?
            }
        })
    }

    fn objective(&self, seed: u64) -> Result<Supervised, Error> {
        objective(&self.config.train, self.splits, None, self.normalizer, self.streams(seed))
    }

    /// The loss before the first step. From scratch at most that of answering with the class frequencies: new weights may do
    /// worse than that, and whoever only gets back there has learned nothing.
    fn start_loss(&self, seed: u64) -> Result<f64, Error> {
        let model = self.model(seed)?;
        let loss = start_loss(&model, &mut self.objective(seed)?)?;
        let chance = entropy(&self.splits.train.labels, self.splits.classes());
        Ok(if self.config.checkpoint.is_some() { loss } else { loss.min(chance) })
    }

    fn probe(&self, point: Point, start_loss: f64) -> Result<Probe, Error> {
        let began = Instant::now();
        let model = self.model(point.seed)?;
        let mut objective = self.objective(point.seed)?;
        let train = &self.config.train;
        let spec = point.wd.map_or_else(|| train.optimizer.clone(), |wd| train.optimizer.with_weight_decay(wd));
        let mut optimizer = spec.build();
        let mut fit = Fit {
            model: &model,
            optimizer: &mut *optimizer,
            schedule: self.config.probe_schedule(point.lr),
            epochs: self.config.probe_epochs,
            streams: self.streams(point.seed),
            state_file: None,
            key: String::new(),
        };
        let mut watch = Watch { task: self, epochs: Vec::new(), failed: None };
        let outcome = fit.run(&mut objective, &mut watch);
        if let Some(error) = watch.failed {
            return Err(error);
        }
        match outcome {
            // too high a rate: a result
            Ok(_) | Err(TrainError::Diverged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let (epochs, planned) = (watch.epochs, self.config.probe_epochs);
        Ok(Probe { point, start_loss, epochs, planned, seconds: began.elapsed().as_secs_f64() })
    }
}

impl Task<'_> {
    /// One training of a probe's length while the rate rises.
    fn ramp(&self, [from, to]: [f64; 2]) -> Result<Ramped, Error> {
        let began = Instant::now();
        let model = self.model(0)?;
        let mut objective = self.objective(0)?;
        let mut optimizer = self.config.train.optimizer.build();
        let epochs = self.config.probe_epochs;
        let mut fit = Fit {
            model: &model,
            optimizer: &mut *optimizer,
            schedule: Schedule::Exponential { from, to },
            epochs,
            streams: self.streams(0),
            state_file: None,
            key: String::new(),
        };
        let mut steps = Steps(Vec::new());
        match fit.run(&mut objective, &mut steps) {
            Ok(_) | Err(TrainError::Diverged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Ramped { steps: steps.0, epochs, seconds: began.elapsed().as_secs_f64() })
    }
}

/// Keeps rate and loss of every step, and stops when the loss is four times its smallest.
struct Steps(Vec<(f64, f64)>);

impl Observer for Steps {
    fn after_step(&mut self, reading: &Reading, _: &Model) -> Verdict {
        let least = self.0.iter().map(|s| s.1).fold(f64::INFINITY, f64::min);
        self.0.push((reading.lr, reading.loss));
        if reading.loss > 4.0 * least { Verdict::Stop } else { Verdict::Continue }
    }

    fn after_epoch(&mut self, _: &EpochReading, _: &Model) -> Verdict {
        Verdict::Continue
    }
}

/// Mean loss of the first batches, with weights that stay.
pub(crate) fn start_loss(model: &Model, objective: &mut dyn Objective) -> Result<f64, Error> {
    objective.begin_epoch(model, 0)?;
    let (mut sum, mut steps) = (0.0, 0);
    while steps < START_BATCHES
        && let Some(step) = objective.step(model, At { epoch: 0, step: steps })?
    {
        sum += step.loss.double_value(&[]);
        steps += 1;
    }
    Ok(sum / steps.max(1) as f64)
}

/// Entropy of the class frequencies: the loss of answering with them.
fn entropy(labels: &[ClassId], classes: usize) -> f64 {
    class_frequencies(labels, classes).into_iter().filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum()
}

/// Reads weights and held-out pictures after every epoch.
struct Watch<'w, 'a> {
    task: &'w Task<'a>,
    epochs: Vec<ProbeEpoch>,
    failed: Option<Error>,
}

impl Watch<'_, '_> {
    fn read(&self, reading: &EpochReading, model: &Model) -> Result<ProbeEpoch, Error> {
        let task = self.task;
        let layers: Vec<LayerGain> = if task.config.checkpoint.is_some() {
            Vec::new()
        } else {
            let before = self.epochs.last().map(|e| e.layers.as_slice());
            gains(model, &task.groups, task.config.evbmf, before)?
        };
        let z = if task.config.checkpoint.is_some() { None } else { Some(silent_share(&layers)?) };
        let held_out = task.judge(model)?;
        let top = |n: &str| reading.readings.get(n).copied();
        Ok(ProbeEpoch {
            z,
            layers,
            loss: reading.loss,
            train_acc: top("train_acc").zip(top("train_acc5")).map(|(a, b)| [a, b]),
            val_loss: held_out.map(|h| h.0),
            val_acc: held_out.map(|h| h.1),
        })
    }
}

impl Task<'_> {
    /// Loss, accuracy and top-5 accuracy on the validation split.
    fn judge(&self, model: &Model) -> Result<Option<(f64, [f64; 2])>, Error> {
        if self.held_out.is_empty() {
            return Ok(None);
        }
        let val = &self.splits.val;
        let logits = predict_rows(model, &val.images, self.normalizer, &self.held_out)?.logits;
        let (mut loss, mut hits) = (0.0, [0usize; 2]);
        for (z, &row) in logits.outer_iter().zip(&self.held_out) {
            let class = val.labels[row].column();
            let most = f64::from(z.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let sum = z.iter().map(|&v| (f64::from(v) - most).exp()).sum::<f64>();
            loss += most + sum.ln() - f64::from(z[class]);
            let above = z.iter().filter(|&&v| v > z[class]).count();
            hits[0] += usize::from(above < 1);
            hits[1] += usize::from(above < 5);
        }
        let n = self.held_out.len() as f64;
        Ok(Some((loss / n, hits.map(|h| h as f64 / n))))
    }
}

impl Observer for Watch<'_, '_> {
    fn after_step(&mut self, _: &Reading, _: &Model) -> Verdict {
        Verdict::Continue
    }

    fn after_epoch(&mut self, reading: &EpochReading, model: &Model) -> Verdict {
        match self.read(reading, model) {
            Ok(epoch) => {
                self.epochs.push(epoch);
                Verdict::Continue
            }
            Err(error) => {
                self.failed = Some(error);
                Verdict::Fail
            }
        }
    }
}

/// Trains probes on the cores: each on one thread, so that a probe is the same on any number of them.
pub(super) struct Bench<'a> {
    pub(super) task: Task<'a>,
    pub(super) files: &'a mut TuneFiles,
    pub(super) progress: &'a mut dyn Progress,
    pub(super) jobs: usize,
    runtime: Runtime,
    start_losses: BTreeMap<u64, f64>,
    done: usize,
    /// Why a probe failed, since a search knows texts alone.
    pub(super) failed: Option<Error>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        task: Task<'a>,
        files: &'a mut TuneFiles,
        progress: &'a mut dyn Progress,
        runtime: Runtime,
    ) -> Self {
        // a GPU is shared badly, and so are the modes of a TorchScript module
        let alone = runtime.device != Device::Cpu || task.config.torchscript.is_some();
        let jobs = if alone { 1 } else { runtime.threads };
        Self { task, files, progress, jobs, runtime, start_losses: BTreeMap::new(), done: 0, failed: None }
    }

    fn train(&mut self, points: &[Point]) -> Result<Vec<Probe>, Error> {
        for point in points {
            if !self.start_losses.contains_key(&point.seed) {
                self.start_losses.insert(point.seed, self.task.start_loss(point.seed)?);
            }
        }
        let (task, start_losses, next) = (&self.task, &self.start_losses, AtomicUsize::new(0));
        let (send, receive) = mpsc::channel();
        let mut probes = vec![None; points.len()];
        let (runtime, side_by_side) = (self.runtime, self.runtime.device == Device::Cpu);
        let trained = std::thread::scope(|scope| {
            for _ in 0..self.jobs.min(points.len()) {
                let (send, next) = (send.clone(), &next);
                scope.spawn(move || {
                    if side_by_side {
                        runtime.stay_on_this_thread();
                    }
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(point) = points.get(at) else { break };
                        let probe = task.probe(*point, start_losses[&point.seed]);
                        // nobody waits any more once one has failed
                        if send.send((at, probe)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            for (at, probe) in receive {
                let probe = probe?;
                self.files.keep(&probe)?;
                self.done += 1;
                self.progress.advance(self.done as u64, Some(task.config.budget as u64), &told(&probe));
                self.progress.say(&told(&probe));
                probes[at] = Some(probe);
            }
            Ok::<_, Error>(())
        });
        runtime.take_all_threads();
        trained?;
        Ok(probes.into_iter().flatten().collect())
    }
}

impl Prober for Bench<'_> {
    fn probe(&mut self, points: &[Point]) -> Result<Vec<Probe>, TuneError> {
        self.train(points).map_err(|error| {
            let said = TuneError::Probe(error.to_string());
            self.failed = Some(error);
            said
        })
    }

    fn ramp(&mut self, range: [f64; 2]) -> Result<Ramped, TuneError> {
        self.task.ramp(range).map_err(|error| {
            let said = TuneError::Probe(error.to_string());
            self.failed = Some(error);
            said
        })
    }

    fn jobs(&self) -> usize {
        self.jobs
    }
}

/// A probe in a line.
pub(crate) fn told(probe: &Probe) -> String {
    let decay = probe.point.wd.map(|wd| format!("  wd {wd:.2e}")).unwrap_or_default();
    let seed = if probe.point.seed == 0 { String::new() } else { format!("  seed +{}", probe.point.seed) };
    let z = if probe.epochs.iter().any(|e| e.z.is_some()) { format!("  Z {:.3}", probe.z()) } else { String::new() };
    format!("lr {:.3e}{decay}{seed}{z}  loss {:.4}  {:.1} s", probe.point.lr, probe.loss(), probe.seconds)
}
