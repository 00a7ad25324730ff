//! Training a classifier from scratch on a data set's source domain.

use crate::{
    Augment, DataConfig, Error, Progress,
    doctoring::{
        PictureTask, Treated, facts, first_rows, open_readings, plan_of, problem_event, treat_pictures, val_score,
    },
};
use hybridrepair_core::{ClassId, Purpose, Streams};
use hybridrepair_data::{Normalizer, Splits};
use hybridrepair_doctor::{Finding, Loss, Mode, MonitorSettings, Reading as Judged, ReadingLine, Score};
use hybridrepair_doctor_torch::{Monitor, probe};
use hybridrepair_runs::{Environment, EventLog, JsonLines, LedgerFile, Metric, RunDir, write_config, write_json};
use hybridrepair_torch::{
    Arch, CheckpointMeta, DeviceChoice, Model, ModelSpec, Runtime, RuntimeConfig, libtorch_version, load_checkpoint,
    load_tensors, save_checkpoint,
};
use hybridrepair_train::{
    EpochReading, Example, Fit, Observer, OptimSpec, Reading, Schedule, Supervised, SupervisedData, TrainError, Verdict,
};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// Settings of a training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// The architecture.
    pub model: String,
    /// Factor on its channels.
    pub width: f64,
    /// Passes over the training set.
    pub epochs: usize,
    /// Pictures per step.
    pub batch_size: usize,
    /// Learning rate over the run.
    pub schedule: Schedule,
    /// What moves the weights.
    pub optimizer: OptimSpec,
    /// Label smoothing.
    pub smoothing: f64,
    /// What is done to the pictures beyond crops and flips.
    pub augment: Augment,
    /// Whether all labels of the field pool are used as well: the ceiling that no repair can expect to pass. The ledger
    /// of the run notes it.
    pub with_field_labels: bool,
    /// Whether the final checkpoint is stored in half precision.
    pub half: bool,
    /// The seed of all randomness.
    pub seed: u64,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// CPU threads; all cores when not given.
    pub threads: Option<usize>,
    /// The data.
    pub data: DataConfig,
    /// What the monitor may do, and its thresholds.
    pub monitor: MonitorSettings,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            model: "mobilenet".to_owned(),
            width: 1.0,
            epochs: 30,
            batch_size: 64,
            schedule: Schedule::Cosine { lr: 0.05, warmup: 1.0 },
            optimizer: OptimSpec::Sgd { momentum: 0.9, weight_decay: 5e-4, nesterov: true },
            smoothing: 0.0,
            augment: Augment::default(),
            with_field_labels: false,
            half: false,
            seed: 10,
            device: "auto".to_owned(),
            threads: None,
            data: DataConfig::default(),
            monitor: MonitorSettings::default(),
        }
    }
}

impl TrainConfig {
    /// Checks every setting, the device, and that the data can be loaded.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        if self.epochs == 0 {
            return Err(Error::Config("0 epochs train nothing".to_owned()));
        }
        self.schedule.check()?;
        self.monitor.check()?;
        self.augment.check()?;
        if self.monitor.mode == Mode::Repair {
            plan_of(self)?;
        }
        let device: DeviceChoice = self.device.parse()?;
        device.resolve()?;
        let classes = self.data.load()?.classes();
        ModelSpec { arch: self.model.parse()?, width: self.width, classes }.check()?;
        Ok(())
    }
}

/// What training gave.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Accuracy on the validation split of every epoch, in [0, 1].
    pub val: Vec<f64>,
    /// The epoch that was kept: the best on the validation split, from 0.
    pub best: usize,
    /// Number of trained parameters.
    pub parameters: usize,
    /// Pictures times backward passes.
    pub images_trained: u64,
    /// Training problems that were recognised, each once.
    pub findings: Vec<Finding>,
    /// With the monitor in mode `repair`: what the repair came to.
    pub treated: Option<Treated>,
}

/// Trains and writes `checkpoints/best.safetensors`, the epoch that is best on the validation split (same domain as the
/// training data; neither field nor holdout is looked at).
///
/// # Errors
/// When a setting or the data cannot be used, or training diverges.
pub fn train(config: &TrainConfig, dir: &RunDir, progress: &mut dyn Progress) -> Result<Trained, Error> {
    let device: DeviceChoice = config.device.parse()?;
    config.schedule.check()?;
    let runtime = Runtime::start(RuntimeConfig { device, threads: config.threads })?;
    // written down as they are: a resumed run must use the same
    let config = &TrainConfig { device: runtime.device_name(), threads: Some(runtime.threads), ..config.clone() };
    let splits = config.data.load()?;
    let spec = ModelSpec { arch: config.model.parse::<Arch>()?, width: config.width, classes: splits.classes() };
    let streams = Streams::new(config.seed);
    let model = Model::new(spec, runtime.device, streams)?;
    let size = (splits.train.images.height(), splits.train.images.width());
    let meta = CheckpointMeta {
        spec,
        class_names: splits.class_names.clone(),
        normalization: splits.normalization,
        input: [size.0, size.1],
        dataset: config.data.name.clone(),
        script: None,
    };
    let layout = dir.layout();
    write_config(&layout.config(), config)?;
    let mut env = Environment::of_this_process(&runtime.device_name(), runtime.threads);
    env.libraries.insert("libtorch".to_owned(), libtorch_version());
    write_json(&layout.environment(), &env)?;
    let normalizer = Normalizer::new(splits.normalization)?;
    if config.monitor.mode == Mode::Repair {
        return repaired(config, &splits, normalizer, &meta, dir, progress);
    }
    let field = config.with_field_labels.then(|| field_labels(&splits, dir)).transpose()?;
    let mut objective = objective(config, &splits, field, &normalizer, streams)?;
    let mut optimizer = config.optimizer.build();
    let state_file = layout.checkpoint("state");
    let mut fit = Fit {
        model: &model,
        optimizer: &mut *optimizer,
        schedule: config.schedule.clone(),
        epochs: config.epochs,
        streams,
        state_file: Some(&state_file),
        key: serde_json::to_string(config).map_err(|e| Error::Config(e.to_string()))?,
    };
    for note in &splits.notes {
        progress.say(&format!("data: {note}"));
    }
    progress.begin("train", None);
    let monitor =
        Monitor::new(&config.monitor, config.monitor.mode, facts(&splits, config.epochs, config.monitor.interval));
    let (readings, before) = open_readings(&layout.readings(), Some(state_file.clone()), monitor.facts())?;
    let mut watch = Watch {
        monitor,
        readings,
        events: EventLog::open(&layout.events())?,
        config,
        splits: &splits,
        normalizer: &normalizer,
        meta: &meta,
        best: best_so_far(dir),
        metrics: hybridrepair_runs::MetricLog::open(&layout.metrics())?,
        layout: layout.clone(),
        progress,
        began: Instant::now(),
        failed: None,
    };
    for reading in before {
        watch.monitor.see(reading);
    }
    let outcome = match fit.run(&mut objective, &mut watch) {
        Err(TrainError::Diverged { epoch, .. }) if config.monitor.mode != Mode::Off => {
            watch.diverged(epoch)?;
            let findings = watch.monitor.findings.iter().map(|f| f.evidence.clone()).collect::<Vec<_>>();
            return Err(Error::Refused(format!("training diverged: {}", findings.join("; "))));
        }
        outcome => outcome?,
    };
    let (failed, progress, findings) = (watch.failed, watch.progress, watch.monitor.findings);
    if let Some(error) = failed {
        return Err(error);
    }
    progress.end(false);
    let val = validation_history(dir)?;
    let best = (0..val.len()).fold(0, |b, i| if val[i] > val[b] { i } else { b });
    // the kept epoch was stored in full precision while training went on
    let best_file = layout.checkpoint("best");
    if config.half {
        save_checkpoint(&best_file, &load_checkpoint(&best_file, runtime.device)?.0, &meta, true)?;
    }
    // nothing more to resume
    let _ = std::fs::remove_file(&state_file);
    Ok(Trained {
        val,
        best,
        parameters: model.params().count(),
        images_trained: outcome.epochs.iter().map(|e| e.images_trained).sum(),
        findings,
        treated: None,
    })
}

/// Trains under the monitor until a plan has no problem. The architecture stays: remedies change how it is trained.
fn repaired(
    config: &TrainConfig,
    splits: &Splits,
    normalizer: Normalizer,
    meta: &CheckpointMeta,
    dir: &RunDir,
    progress: &mut dyn Progress,
) -> Result<Trained, Error> {
    if config.with_field_labels {
        return Err(Error::Config("monitor: a ceiling with the field's labels is not repaired".to_owned()));
    }
    let device = config.device.parse::<DeviceChoice>()?.resolve()?;
    let task = PictureTask { config, splits, normalizer, device };
    let plan = plan_of(config)?;
    progress.say("monitor: the network is fixed, so remedies change only how it is trained");
    let treated = treat_pictures(&task, &plan, &config.monitor, config.seed, dir, progress)?;
    let best = dir.layout().checkpoint("best");
    let model = Model::new(meta.spec, device, Streams::new(config.seed))?;
    if best.is_file() {
        // written as tensors alone: a checkpoint says more
        model.params().restore(&load_tensors(&best)?)?;
        save_checkpoint(&best, &model, meta, config.half)?;
    }
    let kept = treated.kept();
    Ok(Trained {
        val: vec![kept.best_acc],
        best: 0,
        parameters: model.params().count(),
        images_trained: (splits.train.labels.len() * kept.epochs) as u64,
        findings: treated.findings.clone(),
        treated: Some(treated),
    })
}

pub(crate) fn objective(
    config: &TrainConfig,
    splits: &Splits,
    field: Option<Vec<ClassId>>,
    normalizer: &Normalizer,
    streams: Streams,
) -> Result<Supervised, Error> {
    let transform = config.augment.transform(&config.data);
    let sets = vec![(splits.train.images.clone(), transform), (splits.field.images.clone(), transform)];
    let data = SupervisedData { sets, normalizer: normalizer.clone() };
    let examples_of = |set: usize, labels: &[ClassId]| {
        labels.iter().enumerate().map(|(row, &class)| Example { set, row, class }).collect::<Vec<_>>()
    };
    let examples = [examples_of(0, &splits.train.labels), examples_of(1, &field.unwrap_or_default())].concat();
    Ok(Supervised::new(data, examples, config.batch_size, streams, "train")?.smoothing(config.smoothing))
}

/// All labels of the field pool, noted in the run's ledger.
fn field_labels(splits: &Splits, dir: &RunDir) -> Result<Vec<ClassId>, Error> {
    let (mut file, mut ledger) = LedgerFile::open(&dir.layout().ledger(), 0)?;
    let labels = ledger.reveal(&splits.field.labels, Purpose::Annotate, "train: ceiling").to_vec();
    file.sync(&ledger)?;
    Ok(labels)
}

/// Validation accuracy of every finished epoch, from `metrics.jsonl`; a repeated epoch counts as its last line.
fn validation_history(dir: &RunDir) -> Result<Vec<f64>, Error> {
    let lines = hybridrepair_runs::read_lines::<Metric>(&dir.layout().metrics())?;
    let mut val = std::collections::BTreeMap::new();
    for metric in lines.rows {
        if let (Some(epoch), Some(acc)) = (metric.epoch, metric.acc1) {
            val.insert(epoch, acc);
        }
    }
    Ok(val.into_values().collect())
}

fn best_so_far(dir: &RunDir) -> f64 {
    validation_history(dir).map_or(-1.0, |v| v.into_iter().fold(-1.0, f64::max))
}

struct Watch<'a> {
    monitor: Monitor,
    readings: JsonLines,
    events: EventLog,
    config: &'a TrainConfig,
    splits: &'a Splits,
    normalizer: &'a Normalizer,
    meta: &'a CheckpointMeta,
    best: f64,
    metrics: hybridrepair_runs::MetricLog,
    layout: hybridrepair_runs::Layout,
    progress: &'a mut dyn Progress,
    began: Instant,
    failed: Option<Error>,
}

impl Watch<'_> {
    /// A training that broke off in this epoch.
    fn diverged(&mut self, epoch: usize) -> Result<(), Error> {
        let none = Score { loss: f64::NAN, acc: f64::NAN };
        self.judge(Judged { epoch, train: none, val: none, diverged: true, probe: None }).map(|_| ())
    }

    /// Shows a reading to the rules.
    fn judge(&mut self, reading: Judged) -> Result<Verdict, Error> {
        self.readings.append(&ReadingLine::Reading(reading.clone()))?;
        let (verdict, finding) = self.monitor.see(reading);
        if let Some(finding) = finding {
            self.events.record(problem_event("train", &finding))?;
            let Finding { problem, epoch, evidence, .. } = &finding;
            self.progress.say(&format!("{problem} after epoch {}: {evidence}", epoch + 1));
        }
        Ok(verdict)
    }

    fn record(&mut self, reading: &EpochReading, model: &Model) -> Result<Verdict, Error> {
        let Score { loss: val_loss, acc } = val_score(model, &self.splits.val, self.normalizer)?;
        // the file before the line: a run that is killed in between repeats the epoch and finds it the best again
        if acc > self.best {
            self.best = acc;
            save_checkpoint(&self.layout.checkpoint("best"), model, self.meta, false)?;
        }
        let mut metric = Metric::of("train");
        metric.epoch = Some(reading.epoch as u64 + 1);
        metric.split = Some("val".to_owned());
        metric.acc1 = Some(acc);
        metric.loss = Some(reading.loss);
        metric.lr = Some(reading.lr);
        metric.images = Some(reading.images_trained);
        metric.seconds = Some(self.began.elapsed().as_secs_f64());
        metric.more = reading.readings.iter().map(|(k, &v)| (k.clone(), Some(v))).collect();
        metric.more.insert("val_loss".to_owned(), Some(val_loss));
        self.metrics.record(&metric)?;
        self.progress.say(&format!(
            "epoch {:>3}/{}  loss {:.4}  val {:.2} %",
            reading.epoch + 1,
            self.config.epochs,
            reading.loss,
            100.0 * acc
        ));
        let probe = self.monitor.due(reading.epoch).then(|| {
            let rows = self.monitor.rows(self.config.batch_size);
            let (x, y) = first_rows(&self.splits.train, rows, self.normalizer, model.device());
            probe(model, Loss::CrossEntropy, &x, &y, None)
        });
        let train = Score { loss: reading.loss, acc: reading.readings.get("train_acc").copied().unwrap_or(f64::NAN) };
        let val = Score { loss: val_loss, acc };
        self.judge(Judged { epoch: reading.epoch, train, val, diverged: false, probe })
    }
}

impl Observer for Watch<'_> {
    fn after_step(&mut self, reading: &Reading, _: &Model) -> Verdict {
        let (epoch, planned) = (reading.at.epoch as u64, reading.planned_steps as u64);
        let done = epoch * planned + reading.at.step as u64 + 1;
        let note = format!("epoch {}/{}  loss {:.3}", epoch + 1, self.config.epochs, reading.loss);
        self.progress.advance(done, Some(planned * self.config.epochs as u64), &note);
        Verdict::Continue
    }

    fn after_epoch(&mut self, reading: &EpochReading, model: &Model) -> Verdict {
        match self.record(reading, model) {
            Ok(verdict) => verdict,
            Err(error) => {
                self.failed = Some(error);
                Verdict::Fail
            }
        }
    }
}
