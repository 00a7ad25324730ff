use crate::{DataConfig, Error};
use hybridrepair_core::Streams;
use hybridrepair_doctor::{Demo, MonitorSettings, Plan, Points};
use hybridrepair_doctor_torch::{ArrayTask, Arrays, TrainerError, blob, circle};
use hybridrepair_torch::Device;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// Own arrays.
    Arrays {
        /// A row of numbers per sample (`.npy`).
        x: PathBuf,
        /// A class per sample (`.npy`).
        y: PathBuf,
        /// Share of the rows that validates.
        #[serde(default = "third")]
        val: f64,
    },
    /// Generated points: `circle` or `blob`.
    Points {
        /// Which.
        set: String,
    },
    /// The training and validation pictures of a data set, as numbers in [0, 1].
    Pictures {
        /// The data set.
        data: Box<DataConfig>,
    },
}

fn third() -> f64 {
    0.3
}

/// A training of an editable plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRecipe {
    /// The seed of all randomness.
    #[serde(default)]
    pub seed: u64,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    #[serde(default = "auto")]
    pub device: String,
    /// CPU threads; one when not given: networks of this size are slower on more.
    #[serde(default)]
    pub threads: Option<usize>,
    /// Where rows come from.
    pub source: Source,
    /// What is trained, and how.
    pub plan: Plan,
    /// What the monitor may do, and its thresholds.
    #[serde(default)]
    pub monitor: MonitorSettings,
}

fn auto() -> String {
    "auto".to_owned()
}

impl PlanRecipe {
    /// A case that shows a problem.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn demo(name: &str) -> Result<Self, Error> {
        let Demo { points, good, plan, .. } = Demo::named(name)?;
        let set = if points == Points::Circle { "circle" } else { "blob" }.to_owned();
        let mut monitor = MonitorSettings::default();
        monitor.thresholds.good = Some(good);
        Ok(Self { seed: 0, device: "cpu".to_owned(), threads: None, source: Source::Points { set }, plan, monitor })
    }

    /// Checks plan and settings.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        self.plan.check()?;
        self.monitor.check()?;
        if self.plan.net.is_none() {
            return Err(Error::Config("plan: a recipe of this kind needs [plan.net]".to_owned()));
        }
        Ok(())
    }

    /// The data and how plans become models.
    ///
    /// # Errors
    /// When the data cannot be read or do not fit the network.
    pub fn task(&self, device: Device) -> Result<ArrayTask, Error> {
        let streams = Streams::new(self.seed);
        let shape = self.plan.net.as_ref().map(|n| n.input.clone()).unwrap_or_default();
        let data = match &self.source {
            Source::Points { set } => match set.as_str() {
                "circle" => circle(streams),
                "blob" => blob(streams),
                other => return Err(Error::Config(format!("points {other:?} are neither circle nor blob"))),
            },
            Source::Arrays { x, y, val } => Arrays::read(x, y, &shape, *val, streams).map_err(trainer)?,
            Source::Pictures { data } => {
                let splits = data.load()?;
                Arrays::of_pictures(&splits.train, &splits.val, splits.classes(), &shape).map_err(trainer)?
            }
        };
        Ok(ArrayTask::new(data, streams, device))
    }
}

/// An error of a training under watch as one of the pipeline.
pub(super) fn trainer(error: TrainerError) -> Error {
    match error {
        TrainerError::Doctor(error) => error.into(),
        TrainerError::Train(error) => error.into(),
        TrainerError::Torch(error) => error.into(),
        TrainerError::Data(error) => error.into(),
        TrainerError::Core(error) => error.into(),
        other => Error::Arrays(other.to_string()),
    }
}
