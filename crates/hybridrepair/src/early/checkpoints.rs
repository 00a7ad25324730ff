//! Trainings that keep a checkpoint at each epoch that is asked for.

use super::{EarlyConfig, gpus::Nvidia};
use crate::{Error, Progress};
use hybridrepair_core::Streams;
use hybridrepair_data::{Normalizer, Splits};
use hybridrepair_patch::{
    PatchError,
    early::{DevicePool, Job},
};
use hybridrepair_runs::RunDir;
use hybridrepair_torch::{Arch, CheckpointMeta, Device, DeviceChoice, Model, ModelSpec, Runtime, save_checkpoint};
use hybridrepair_train::{EpochReading, Example, Fit, Observer, Reading, Supervised, SupervisedData, Verdict};
use std::{
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

/// A checkpoint of a training.
#[derive(Clone, Debug)]
pub(super) struct Trained {
    /// Which training.
    pub(super) run: u64,
    /// After how many epochs.
    pub(super) epoch: usize,
    /// The file.
    pub(super) path: PathBuf,
}

/// All checkpoints of all trainings, run by run in the order of their epochs. Trainings that are complete are not repeated.
pub(super) fn train_all(
    config: &EarlyConfig,
    splits: &Splits,
    dir: &RunDir,
    runtime: Runtime,
    progress: &mut dyn Progress,
) -> Result<Vec<Trained>, Error> {
    let place = |run: u64, epoch: usize| dir.path().join(format!("run{run}")).join(format!("ep{epoch:03}.safetensors"));
    let missing =
        (0..config.runs).filter(|&run| config.epochs.iter().any(|&e| !place(run, e).is_file())).collect::<Vec<_>>();
    progress.begin("train", Some((missing.len() * config.epochs.last().copied().unwrap_or(0)) as u64));
    let cached = missing.is_empty();
    if config.gpus == 0 {
        for run in missing {
            let told = Mutex::new(&mut *progress);
            train_one(config, splits, dir.path(), run, runtime.device, &|line: &str| {
                told.lock().unwrap_or_else(std::sync::PoisonError::into_inner).say(line);
            })?;
        }
    } else {
        DeviceChoice::Cuda(config.first_gpu + config.gpus - 1).resolve()?;
        let pool = DevicePool {
            devices: config.gpus,
            first: config.first_gpu,
            spare_mb: 0,
            per_device: 4,
            memory: &Nvidia,
            poll: Duration::from_secs(2),
            patience: Duration::from_secs(600),
        };
        let lines = Mutex::new(Vec::new());
        let failed = Mutex::new(None);
        let jobs = missing.into_iter().map(|run| {
            let (lines, failed) = (&lines, &failed);
            let work = move |device: usize| {
                let say =
                    |line: &str| lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line.to_owned());
                train_one(config, splits, dir.path(), run, Device::Cuda(device), &say).map_err(|e| {
                    let why = format!("run {run}: {e}");
                    *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(e);
                    PatchError::NoCase(why)
                })
            };
            Job { name: format!("training {run}"), memory_mb: config.min_free_mb, work: Box::new(work) }
        });
        let done = pool.run(jobs.collect());
        for line in lines.into_inner().unwrap_or_default() {
            progress.say(&line);
        }
        if let Some(error) = failed.into_inner().unwrap_or_default() {
            return Err(error);
        }
        done?;
    }
    progress.end(cached);
    let all = (0..config.runs).flat_map(|run| config.epochs.iter().map(move |&epoch| (run, epoch)));
    Ok(all.map(|(run, epoch)| Trained { run, epoch, path: place(run, epoch) }).collect())
}

/// One training, resumed where it stopped.
fn train_one(
    config: &EarlyConfig,
    splits: &Splits,
    dir: &Path,
    run: u64,
    device: Device,
    say: &dyn Fn(&str),
) -> Result<(), Error> {
    let train = &config.train;
    let folder = dir.join(format!("run{run}"));
    std::fs::create_dir_all(&folder).map_err(|e| Error::Array { path: folder.clone(), why: e.to_string() })?;
    // the first training is the one that `train` would make
    let streams =
        Streams::new(if run == 0 { train.seed } else { Streams::new(train.seed).number("early-run", run, 0) >> 1 });
    let spec = ModelSpec { arch: train.model.parse::<Arch>()?, width: train.width, classes: splits.classes() };
    let model = Model::new(spec, device, streams)?;
    let images = &splits.train.images;
    let meta = CheckpointMeta {
        spec,
        class_names: splits.class_names.clone(),
        normalization: splits.normalization,
        input: [images.height(), images.width()],
        dataset: train.data.name.clone(),
        script: None,
    };
    let transform = train.augment.transform(&train.data);
    let data =
        SupervisedData { sets: vec![(images.clone(), transform)], normalizer: Normalizer::new(splits.normalization)? };
    let examples = splits.train.labels.iter().enumerate().map(|(row, &class)| Example { set: 0, row, class });
    let mut objective =
        Supervised::new(data, examples.collect(), train.batch_size, streams, "train")?.smoothing(train.smoothing);
    let epochs = config.epochs.last().copied().unwrap_or(0);
    let state = folder.join("state.safetensors");
    let mut optimizer = train.optimizer.build();
    let mut keep = Keep { config, folder: &folder, meta: &meta, run, epochs, say, failed: None };
    let mut fit = Fit {
        model: &model,
        optimizer: &mut *optimizer,
        schedule: train.schedule.clone(),
        epochs,
        streams,
        state_file: Some(&state),
        key: serde_json::to_string(&(train, run)).map_err(|e| Error::Config(e.to_string()))?,
    };
    fit.run(&mut objective, &mut keep)?;
    if let Some(error) = keep.failed {
        return Err(error);
    }
    // nothing more to resume
    let _ = std::fs::remove_file(&state);
    Ok(())
}

struct Keep<'a> {
    config: &'a EarlyConfig,
    folder: &'a Path,
    meta: &'a CheckpointMeta,
    run: u64,
    epochs: usize,
    say: &'a dyn Fn(&str),
    failed: Option<Error>,
}

impl Observer for Keep<'_> {
    fn after_step(&mut self, _: &Reading, _: &Model) -> Verdict {
        Verdict::Continue
    }

    fn after_epoch(&mut self, reading: &EpochReading, model: &Model) -> Verdict {
        let epoch = reading.epoch + 1;
        if !self.config.epochs.contains(&epoch) {
            return Verdict::Continue;
        }
        (self.say)(&format!("run {} epoch {epoch:>3}/{}  loss {:.4}", self.run, self.epochs, reading.loss));
        match save_checkpoint(&self.folder.join(format!("ep{epoch:03}.safetensors")), model, self.meta, false) {
            Ok(()) => Verdict::Continue,
            Err(error) => {
                self.failed = Some(error.into());
                Verdict::Fail
            }
        }
    }
}
