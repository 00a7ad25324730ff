use crate::{Error, TrainConfig};
use hybridrepair_core::Streams;
use hybridrepair_train::Schedule;
use hybridrepair_tune::{Limits, SearchSettings, Variant};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of a search for a learning rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuneConfig {
    /// `auto`, or the search by its name. `auto` is `knee` from scratch and `range` from a trained checkpoint.
    pub method: String,
    /// Epochs of a probe.
    pub probe_epochs: usize,
    /// Probes that the search may look at.
    pub budget: usize,
    /// Seconds of training that it may take.
    pub max_seconds: Option<f64>,
    /// Lowest and highest rate, for the searches that have such bounds.
    pub range: Option<[f64; 2]>,
    /// Whether weight decay is searched for as well: at the found rate, by the loss on the validation split.
    pub weight_decay: bool,
    /// How structure is read from the weights.
    pub evbmf: Variant,
    /// Training pictures of a probe, drawn by seed; all of them when not given.
    pub probe_images: Option<usize>,
    /// Every probe begins with this trained model instead of new weights.
    pub checkpoint: Option<PathBuf>,
    /// Every probe begins with this TorchScript module, as it lies in the file, instead of an architecture of ours.
    pub torchscript: Option<PathBuf>,
    /// The training that a rate is wanted for.
    pub train: TrainConfig,
}

impl Default for TuneConfig {
    fn default() -> Self {
        Self {
            method: "auto".to_owned(),
            probe_epochs: 5,
            budget: 25,
            max_seconds: None,
            range: None,
            weight_decay: false,
            evbmf: Variant::Fixed,
            probe_images: None,
            checkpoint: None,
            torchscript: None,
            train: TrainConfig::default(),
        }
    }
}

impl TuneConfig {
    /// The search that is run.
    pub fn search(&self) -> &str {
        match (self.method.as_str(), &self.checkpoint) {
            ("auto", None) => "knee",
            ("auto", Some(_)) => "range",
            (name, _) => name,
        }
    }

    /// Checks every setting, and that the data can be loaded.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |why: String| Err(Error::Config(why));
        hybridrepair_tune::search(self.search(), &self.settings())?;
        if self.probe_epochs == 0 || self.budget == 0 {
            return wrong("tune: probe_epochs and budget are at least 1".to_owned());
        }
        if self.max_seconds.is_some_and(|s| s.is_nan() || s <= 0.0) {
            return wrong("tune: max_seconds is above 0".to_owned());
        }
        if self.probe_images == Some(0) {
            return wrong("tune: probe_images is at least 1".to_owned());
        }
        if self.checkpoint.is_some() && self.torchscript.is_some() {
            return wrong("checkpoint and torchscript both say where a probe begins: give one of them".to_owned());
        }
        if self.checkpoint.is_some() && !["range", "ramp", "random"].contains(&self.search()) {
            let name = self.search();
            return wrong(format!(
                "method {name:?} reads structure that appears in the weights, and a trained checkpoint has it before the first \
                 step: take range, ramp or random"
            ));
        }
        if self.weight_decay && ["grid2020", "trust2021"].contains(&self.search()) {
            let name = self.search();
            return wrong(format!("weight decay goes with the searches of the project; {name:?} is as published"));
        }
        self.train.check()
    }

    pub(super) fn settings(&self) -> SearchSettings {
        SearchSettings {
            range: self.range,
            budget: self.budget,
            streams: Streams::new(self.train.seed),
            weight_decay: self.weight_decay,
        }
    }

    /// How the rate of a probe goes. A high rate that falls to 0 ends well where the same rate held to the end does not, so a
    /// probe takes the course of the training that a rate is wanted for; those of the published searches hold theirs.
    pub(super) fn probe_schedule(&self, lr: f64) -> Schedule {
        if ["grid2020", "trust2021"].contains(&self.search()) {
            return Schedule::Constant { lr };
        }
        self.train.schedule.over(self.probe_epochs, self.train.epochs).with_peak(lr)
    }

    pub(super) fn limits(&self) -> Limits {
        Limits { probes: self.budget, seconds: self.max_seconds.unwrap_or(f64::INFINITY) }
    }
}

/// How the learning rate of the repair is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepairTuneConfig {
    /// Whether it is looked for; else the recipe's is taken.
    pub auto: bool,
    /// Epochs of a probe.
    pub epochs: usize,
    /// Probes at most.
    pub budget: usize,
    /// Lowest and highest rate; from a tenth of the recipe's to ten times it when not given.
    pub range: Option<[f64; 2]>,
}

impl Default for RepairTuneConfig {
    fn default() -> Self {
        Self { auto: false, epochs: 1, budget: 9, range: None }
    }
}
