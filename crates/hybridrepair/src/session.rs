use crate::{By, Error, RepairConfig, own_model::stand_in};
use hybridrepair_core::{Pool, Streams};
use hybridrepair_data::{Normalizer, Splits, ViewMaker, folder::FileList};
use hybridrepair_runs::{Cache, Fingerprint, StageKey};
use hybridrepair_torch::{
    CheckpointMeta, DataFacts, DeviceChoice, Model, Runtime, RuntimeConfig, libtorch_version, open_checkpoint,
    open_script,
};
use std::{path::Path, sync::Arc};

/// What all methods of a comparison share: data, the model under repair, the device, and the cache of finished stages.
pub struct Session {
    /// The settings, resolved.
    pub config: RepairConfig,
    /// Device and threads.
    pub runtime: Runtime,
    /// The data.
    pub splits: Splits,
    /// The field pool.
    pub pool: Pool,
    /// The test transform.
    pub normalizer: Normalizer,
    /// The model under repair, never changed.
    pub model: Model,
    /// What its checkpoint says.
    pub meta: CheckpointMeta,
    /// The run's randomness.
    pub streams: Streams,
    /// Finished stages.
    pub cache: Cache,
    /// Answers that the budget buys.
    pub budget: usize,
    /// Pictures that are bought for training.
    pub picks: usize,
    /// Pictures of the random share.
    pub judges: usize,
    /// Whether the validation split has labels of its own that training does not see; else training pictures stand for it.
    pub held_out: bool,
    data_key: Fingerprint,
    model_key: Fingerprint,
}

impl Session {
    /// Loads data and model. All settings are checked before anything is computed.
    ///
    /// # Errors
    /// When a setting, the data, the checkpoint or the device cannot be used.
    pub fn open(config: RepairConfig, cache: &Path) -> Result<Self, Error> {
        Self::open_listed(config, cache, None)
    }

    /// As [`Session::open`]; of own folders exactly the files of `list`, those of an earlier session of the run.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_listed(config: RepairConfig, cache: &Path, list: Option<Arc<FileList>>) -> Result<Self, Error> {
        let device: DeviceChoice = config.device.parse()?;
        config.check()?;
        let mut config = config;
        config.data.complete_from_model(config.torchscript.as_deref(), config.checkpoint.as_deref())?;
        let runtime = Runtime::start(RuntimeConfig { device, threads: config.threads })?;
        let mut splits = config.data.load_listed(list, config.annotate.by == By::People)?;
        let shares = shares(&config, &splits)?;
        let file = config.model_file().map(Path::to_owned).ok_or_else(|| {
            let name = &config.data.name;
            Error::Config(format!(
                "no model to repair: pass --checkpoint FILE or --torchscript FILE (train one on {name} with `train`)"
            ))
        })?;
        let facts = DataFacts::from(&splits);
        let (model, meta) = if config.torchscript.is_some() {
            open_script(&file, runtime.device, &facts)?
        } else {
            open_checkpoint(&file, runtime.device, &facts)?
        };
        model.check_trainable()?;
        let held_out = !splits.train.images.is_empty() && !splits.val.images.is_empty();
        if splits.train.images.is_empty() {
            let normalizer = Normalizer::new(splits.normalization)?;
            stand_in(&mut splits, &model, &normalizer)?;
        }
        if splits.val.images.is_empty() {
            // a class of one picture has none to spare: the guards then look at what was trained on
            splits.val = splits.train.clone();
        }
        let images = &splits.field.images;
        let largest = splits.train.images.len().min(images.len());
        if config.finetune.batch_size > largest {
            let given = config.finetune.batch_size;
            return Err(Error::Config(format!("batch size {given} is above the {largest} pictures of a split")));
        }
        let data_key = fingerprint(&splits, &config)?;
        Ok(Self {
            pool: Pool::new(splits.field.ids.clone())?,
            normalizer: Normalizer::new(splits.normalization)?,
            streams: Streams::new(config.seed),
            cache: Cache::open(cache)?,
            model_key: Fingerprint::of_file(&file)?,
            data_key,
            runtime,
            splits,
            model,
            meta,
            budget: shares.budget,
            picks: shares.picks,
            judges: shares.judges,
            held_out,
            config,
        })
    }

    /// The same data and model with other settings; device and threads stay.
    ///
    /// # Errors
    /// When the budget does not fit the pool.
    pub fn with_config(&mut self, config: RepairConfig) -> Result<(), Error> {
        config.check()?;
        let Shares { budget, picks, judges } = shares(&config, &self.splits)?;
        (self.budget, self.picks, self.judges) = (budget, picks, judges);
        self.streams = Streams::new(config.seed);
        self.config = config;
        Ok(())
    }

    /// Hash of all pictures and given labels: a run goes on with equal ones only.
    pub fn data_key(&self) -> Fingerprint {
        self.data_key
    }

    /// Key of a stage that depends on the data, the model under repair and the kind of device.
    pub fn key(&self, stage: &'static str, version: u32) -> StageKey {
        // a GPU rounds otherwise than a CPU; the number of threads changes nothing that is not trained
        let device = Fingerprint::of_bytes(self.runtime.device_name().as_bytes());
        StageKey::new(stage, version)
            .input("data", self.data_key)
            .input("model", self.model_key)
            .input("device", device)
            .input("libtorch", Fingerprint::of_bytes(libtorch_version().as_bytes()))
    }

    /// As [`Session::key`], for a stage that trains: the number of threads changes its bits.
    ///
    /// # Errors
    /// When the parameters have no JSON.
    pub fn training_key(&self, stage: &'static str, version: u32) -> Result<StageKey, Error> {
        let place = (self.runtime.threads, self.config.seed);
        parameters(self.key(stage, version), &place)
    }

    /// Height and width of the pictures.
    pub fn size(&self) -> (usize, usize) {
        (self.splits.field.images.height(), self.splits.field.images.width())
    }

    /// The views by which unsmoothness is measured on the field pool; the same in every epoch of a run.
    ///
    /// # Errors
    /// When the view settings are out of range.
    pub fn probe(&self) -> Result<ViewMaker, Error> {
        self.views_of(&self.splits.field.images, "views")
    }

    /// Views of other pictures, with the settings of the run.
    ///
    /// # Errors
    /// As [`Session::probe`].
    pub fn views_of(&self, images: &hybridrepair_data::Images, name: &str) -> Result<ViewMaker, Error> {
        let settings = self.config.finetune.consistency.clone().unwrap_or_default();
        let config = settings.view_config();
        Ok(ViewMaker::new(images.clone(), self.splits.normalization, config, self.streams, name)?)
    }
}

/// How the budget is spent.
struct Shares {
    budget: usize,
    picks: usize,
    judges: usize,
}

/// The share of the pictures that judges where there is no holdout.
const RANDOM_SHARE: f64 = 0.2;

fn shares(config: &RepairConfig, splits: &Splits) -> Result<Shares, Error> {
    let pool = splits.field.images.len();
    let budget = config.budget.count(pool)?;
    let answers = config.annotate.answers;
    let images = budget / answers;
    let alone = splits.holdout.images.is_empty();
    let share = config.annotate.random_share.unwrap_or(if alone { RANDOM_SHARE } else { 0.0 });
    let judges = if share > 0.0 { ((images as f64 * share).round() as usize).max(1) } else { 0 };
    let wrong = |why: String| Err(Error::Config(why));
    if images == 0 {
        return wrong(format!("a budget of {budget} answers does not buy {answers} answers for one picture"));
    }
    if alone && judges == 0 {
        return wrong("nothing judges the repair: give a holdout, or a random share above 0".to_owned());
    }
    if alone && config.threshold.on_holdout && config.threshold.fixed.is_none() {
        return wrong("preset published finds its threshold on a holdout: give one, or take another preset".to_owned());
    }
    if judges >= images {
        return wrong(format!("a budget of {images} pictures leaves none to train on beside {judges} that judge"));
    }
    Ok(Shares { budget, picks: images - judges, judges })
}

/// Adds parameters to a key.
pub(crate) fn parameters<T: serde::Serialize>(key: StageKey, parameters: &T) -> Result<StageKey, Error> {
    key.parameters(parameters).map_err(|e| Error::Config(format!("settings cannot be written: {e}")))
}

fn fingerprint(splits: &Splits, config: &RepairConfig) -> Result<Fingerprint, Error> {
    let classes =
        |labels: &[hybridrepair_core::ClassId]| labels.iter().flat_map(|c| c.0.to_le_bytes()).collect::<Vec<_>>();
    let mut all = Vec::new();
    // sealed labels are no input of any stage that is cached
    for images in [&splits.train.images, &splits.val.images, &splits.field.images, &splits.holdout.images] {
        all.extend(Fingerprint::of_bytes(images.as_slice()).to_string().into_bytes());
    }
    all.extend(classes(&splits.train.labels));
    all.extend(splits.class_names.join("\n").into_bytes());
    let images = &splits.field.images;
    let transform = config.data.transform();
    let shown = (images.height(), images.width(), &splits.normalization, transform.flip, transform.padding);
    let key = parameters(StageKey::new("data", 1).input("content", Fingerprint::of_bytes(&all)), &shown)?;
    Ok(key.fingerprint())
}
