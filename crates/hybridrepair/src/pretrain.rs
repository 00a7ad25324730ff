//! Making an extractor: self-supervised training on the training pictures and the field pool.

use crate::{DataConfig, Error, Progress, session::parameters};
use hybridrepair_core::{ClassId, Embeddings, Streams};
use hybridrepair_data::{Normalizer, Splits};
use hybridrepair_embed::{
    ExtractorMeta,
    pretrain::{BATCH_SPREAD, Beginning, PairData, Pictures, SelfSupervision, ViewSettings, learner},
    save_extractor,
};
use hybridrepair_regions::features::{effective_rank, knn_accuracy, spread};
use hybridrepair_runs::{
    Environment, Fingerprint, Layout, Metric, MetricLog, RunDir, StageKey, write_config, write_json,
};
use hybridrepair_torch::{
    DeviceChoice, Model, ModelSpec, Runtime, RuntimeConfig, libtorch_version, predict, read_state_dict,
};
use hybridrepair_train::{EpochReading, Fit, Observer, OptimSpec, Reading, Schedule, Verdict};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Instant};

/// Settings of a pretraining run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PretrainConfig {
    /// The encoder's architecture.
    pub model: String,
    /// Factor on its channels.
    pub width: f64,
    /// A model to begin with, of the same architecture and width: the one under repair, for instance.
    pub init: Option<PathBuf>,
    /// How it learns.
    pub method: SelfSupervision,
    /// The random views.
    pub views: ViewSettings,
    /// Passes over the pictures.
    pub epochs: usize,
    /// Pictures per step, each in two views.
    pub batch_size: usize,
    /// Learning rate over the run.
    pub schedule: Schedule,
    /// What moves the weights.
    pub optimizer: OptimSpec,
    /// Whether the file is stored in half precision.
    pub half: bool,
    /// The seed of all randomness.
    pub seed: u64,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// CPU threads; all cores when not given.
    pub threads: Option<usize>,
    /// The data: training pictures and field pool; the holdout is not looked at.
    pub data: DataConfig,
}

impl Default for PretrainConfig {
    fn default() -> Self {
        Self::of(SelfSupervision::SIMCLR)
    }
}

impl PretrainConfig {
    /// The values that fit a method: for `simclr` a small network and `AdamW`; for `mocov3` those of its authors for a
    /// `ResNet`-50, with a batch that one device holds.
    pub fn of(method: SelfSupervision) -> Self {
        let moco = matches!(method, SelfSupervision::Mocov3 { .. });
        let (model, width) = if moco { ("resnet50", 1.0) } else { ("mobilenet", 0.25) };
        let batch_size = 256;
        let (schedule, optimizer) = if moco {
            // 0.3 for every 256 pictures of a batch
            let lr = 0.3 * batch_size as f64 / 256.0;
            (Schedule::Cosine { lr, warmup: 10.0 }, OptimSpec::Lars { momentum: 0.9, weight_decay: 1e-6, trust: 1e-3 })
        } else {
            let adamw = OptimSpec::Adamw { betas: (0.9, 0.999), eps: 1e-8, weight_decay: 1e-4 };
            (Schedule::Cosine { lr: 2e-3, warmup: 2.0 }, adamw)
        };
        Self {
            model: model.to_owned(),
            width,
            init: None,
            method,
            views: ViewSettings::default(),
            epochs: if moco { 300 } else { 60 },
            batch_size,
            schedule,
            optimizer,
            half: false,
            seed: 10,
            device: "auto".to_owned(),
            threads: None,
            data: DataConfig::default(),
        }
    }

    /// Checks every setting that can be checked without data.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        if self.epochs == 0 {
            return Err(Error::Config("0 epochs train nothing".to_owned()));
        }
        self.schedule.check()?;
        self.views.check()?;
        self.method.check()?;
        self.spec()?.check()?;
        let device: DeviceChoice = self.device.parse()?;
        device.resolve()?;
        Ok(())
    }

    fn spec(&self) -> Result<ModelSpec, Error> {
        // the classifier is not trained: a single output costs nothing
        Ok(ModelSpec { arch: self.model.parse()?, width: self.width, classes: 1 })
    }
}

/// What an epoch of pretraining showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Share of the validation pictures that their nearest training pictures name rightly, in [0, 1].
    pub knn: f64,
    /// Spread of the embeddings of the field pool.
    pub spread: f64,
    /// Their effective rank.
    pub rank: f64,
}

/// What pretraining gave.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// The extractor's file.
    pub extractor: PathBuf,
    /// The last epoch's probe.
    pub probe: Option<Probe>,
    /// Pictures times backward passes.
    pub images_trained: u64,
}

/// Below this spread of a batch all pictures look alike.
const COLLAPSED: f64 = 0.02;
/// Rows of each part that a probe looks at, at most.
const PROBED: usize = 2000;

/// Trains an extractor and writes `checkpoints/extractor.safetensors` after every epoch; a run that was interrupted goes on
/// after its last finished epoch, bit-equal.
///
/// Training pictures and field pool are shown without their labels (unless the method asks for those of the training
/// pictures). After every epoch the validation pictures are named by their nearest training pictures: this only watches,
/// the last epoch is kept.
///
/// # Errors
/// When a setting or the data cannot be used, training diverges, or it collapses: all pictures then look alike.
pub fn pretrain(config: &PretrainConfig, dir: &RunDir, progress: &mut dyn Progress) -> Result<Pretrained, Error> {
    config.check()?;
    let device: DeviceChoice = config.device.parse()?;
    let runtime = Runtime::start(RuntimeConfig { device, threads: config.threads })?;
    // written down as they are: a resumed run must use the same
    let config = &PretrainConfig { device: runtime.device_name(), threads: Some(runtime.threads), ..config.clone() };
    let splits = config.data.load()?;
    let layout = dir.layout();
    write_config(&layout.config(), config)?;
    let mut env = Environment::of_this_process(&runtime.device_name(), runtime.threads);
    env.libraries.insert("libtorch".to_owned(), libtorch_version());
    write_json(&layout.environment(), &env)?;
    for note in &splits.notes {
        progress.say(&format!("data: {note}"));
    }
    let streams = Streams::new(config.seed);
    let init = config.init.as_deref().map(read_state_dict).transpose()?.unwrap_or_default();
    let (train, field) = (&splits.train.images, &splits.field.images);
    let pictures = Pictures::new(&[train, field], runtime.device)?;
    let count = pictures.len();
    let flip = config.views.flip.unwrap_or(config.data.transform().flip);
    let views = ViewSettings { flip: Some(flip), ..config.views.clone() };
    let data = PairData::new(pictures, views, splits.normalization, config.batch_size, streams)?;
    let mut known = splits.train.labels.iter().copied().map(Some).collect::<Vec<_>>();
    known.resize(count, None);
    let spec = config.spec()?;
    let begin = Beginning { spec, init: &init, device: runtime.device, streams };
    let mut learning = learner(&config.method, &begin, data, known, config.epochs)?;
    let mut optimizer = config.optimizer.build();
    let state_file = layout.checkpoint("state");
    let key = key(config, &splits)?;
    let mut fit = Fit {
        model: &learning.model,
        optimizer: &mut *optimizer,
        schedule: config.schedule.clone(),
        epochs: config.epochs,
        streams,
        state_file: Some(&state_file),
        key,
    };
    progress.begin("pretrain", None);
    let meta = ExtractorMeta {
        format_version: 1,
        spec,
        heads: Vec::new(),
        normalization: splits.normalization,
        input: [field.height(), field.width()],
        dataset: config.data.name.clone(),
        method: config.method.name().to_owned(),
        source_labels: config.method.uses_labels(),
        images_trained: 0,
    };
    let mut watch = Watch {
        config,
        probed: Probed::of(&splits)?,
        meta,
        last: None,
        metrics: MetricLog::open(&layout.metrics())?,
        layout: layout.clone(),
        progress,
        began: Instant::now(),
        failed: None,
    };
    let outcome = fit.run(&mut *learning.objective, &mut watch)?;
    let (failed, progress, last) = (watch.failed, watch.progress, watch.last);
    if let Some(error) = failed {
        return Err(error);
    }
    progress.end(false);
    Ok(Pretrained {
        extractor: layout.checkpoint("extractor"),
        probe: last,
        images_trained: outcome.epochs.iter().map(|e| e.images_trained).sum(),
    })
}

/// What the saved state belongs to: the settings, the pictures, and the model to begin with.
fn key(config: &PretrainConfig, splits: &Splits) -> Result<String, Error> {
    let content = |images: &hybridrepair_data::Images| Fingerprint::of_bytes(images.as_slice());
    let mut key = StageKey::new("pretrain", 1)
        .input("train", content(&splits.train.images))
        .input("field", content(&splits.field.images));
    if let Some(file) = &config.init {
        key = key.input("init", Fingerprint::of_file(file)?);
    }
    Ok(parameters(key, config)?.fingerprint().to_string())
}

/// The pictures that are looked at after every epoch.
struct Probed {
    train: (hybridrepair_data::Images, Vec<ClassId>),
    val: (hybridrepair_data::Images, Vec<ClassId>),
    field: hybridrepair_data::Images,
    normalizer: Normalizer,
}

impl Probed {
    fn of(splits: &Splits) -> Result<Self, Error> {
        let mut rng = Streams::new(0).named("pretrain.probe");
        let mut rows = |n: usize| {
            let mut rows = rand::seq::index::sample(&mut rng, n, PROBED.min(n)).into_vec();
            rows.sort_unstable();
            rows
        };
        let mut part = |part: &hybridrepair_data::Labelled| {
            let part = part.select(&rows(part.images.len()));
            (part.images, part.labels)
        };
        let (train, val) = (part(&splits.train), part(&splits.val));
        let field = splits.field.images.select(&rows(splits.field.images.len()));
        Ok(Self { train, val, field, normalizer: Normalizer::new(splits.normalization)? })
    }

    fn look(&self, model: &Model) -> Result<Probe, Error> {
        let of = |images| Ok::<_, Error>(Embeddings::new(predict(model, images, &self.normalizer)?.features)?);
        let field = of(&self.field)?;
        // without labels of its own a folder can be pretrained on as well
        let knn = if self.train.0.is_empty() || self.val.0.is_empty() {
            f64::NAN
        } else {
            let (train, val) = (of(&self.train.0)?, of(&self.val.0)?);
            knn_accuracy((&val, &self.val.1), (&train, &self.train.1))?
        };
        let rank = effective_rank(&field, &mut Streams::new(0).named("pretrain.rank"))?;
        Ok(Probe { knn, spread: spread(&field), rank })
    }
}

struct Watch<'a> {
    config: &'a PretrainConfig,
    probed: Probed,
    meta: ExtractorMeta,
    last: Option<Probe>,
    metrics: MetricLog,
    layout: Layout,
    progress: &'a mut dyn Progress,
    began: Instant,
    failed: Option<Error>,
}

impl Watch<'_> {
    fn record(&mut self, reading: &EpochReading, model: &Model) -> Result<(), Error> {
        let probe = self.probed.look(model)?;
        let epoch = reading.epoch + 1;
        self.meta.images_trained = reading.images_trained * epoch as u64;
        let mut metric = Metric::of("pretrain");
        metric.epoch = Some(epoch as u64);
        metric.split = Some("val".to_owned());
        metric.acc1 = Some(probe.knn).filter(|k| k.is_finite());
        metric.loss = Some(reading.loss);
        metric.lr = Some(reading.lr);
        metric.images = Some(reading.images_trained);
        metric.seconds = Some(self.began.elapsed().as_secs_f64());
        metric.more.insert("spread".to_owned(), Some(probe.spread));
        metric.more.insert("effective_rank".to_owned(), Some(probe.rank));
        self.metrics.record(&metric)?;
        let knn = if probe.knn.is_finite() { format!("  k-NN {:.2} %", 100.0 * probe.knn) } else { String::new() };
        self.progress.say(&format!(
            "epoch {epoch:>3}/{}  loss {:.4}{knn}  spread {:.3}  effective rank {:.1}",
            self.config.epochs, reading.loss, probe.spread, probe.rank
        ));
        // in train mode: the running statistics of batch norm, which the probe sees, are wrong for the first epochs
        let spread = reading.readings.get(BATCH_SPREAD).copied().unwrap_or(1.0);
        if spread.is_nan() || spread < COLLAPSED {
            return Err(Error::Collapsed { epoch, spread });
        }
        save_extractor(&self.layout.checkpoint("extractor"), model, &self.meta, self.config.half)?;
        self.last = Some(probe);
        Ok(())
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
            Ok(()) => Verdict::Continue,
            Err(error) => {
                self.failed = Some(error);
                Verdict::Fail
            }
        }
    }
}
