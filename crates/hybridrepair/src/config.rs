//! The settings of a repair, as in a recipe; presets give the values that a recipe leaves out.

mod data;

use crate::{CheapConfig, Error, Method, RepairTuneConfig, StopConfig, Tier};
pub use data::{DataConfig, FolderConfig, Judge, SignsSizes};
use hybridrepair_core::Budget;
use hybridrepair_data::{DataError, Normalization};
use hybridrepair_embed::Extractor;
use hybridrepair_finetune::{GuardSettings, MatchSettings, RepairSettings};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Which set of values fills in what a recipe does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Everything that influences numbers as upstream has it.
    Published,
    /// Without the quirks that leak the holdout or compare what is not comparable.
    Corrected,
    /// The best there is: `corrected`, with weak-to-strong training on labels that cover the pool.
    Default,
}

impl Preset {
    /// Its name in `summary.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Corrected => "corrected",
            Self::Default => "default",
        }
    }
}

/// Who gives labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// People where the field pool has no labels, else the oracle.
    Auto,
    /// The sealed labels of a benchmark.
    Oracle,
    /// People, outside of this program: the run stops until their answers are there.
    People,
}

/// How labels are bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnnotateConfig {
    /// Who gives them.
    pub by: By,
    /// Answers by different annotators that each picture gets; the budget counts answers.
    pub answers: usize,
    /// Share of the pictures that is drawn at random and judges instead of training; without a holdout 0.2, else none.
    pub random_share: Option<f64>,
    /// Whether "cannot tell" costs as much as a label.
    pub cannot_tell_costs: bool,
    /// Of the oracle: the chance of a wrong answer.
    pub error_rate: f64,
}

impl Default for AnnotateConfig {
    fn default() -> Self {
        Self { by: By::Auto, answers: 1, random_share: None, cannot_tell_costs: true, error_rate: 0.0 }
    }
}

/// Clustering and propagation of the hybrid method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegionsConfig {
    /// Samples per region on average: k-means runs with `k = n / average_size`.
    pub average_size: usize,
    /// HDBSCAN's neighbours for the core distance, the point itself counted.
    pub min_samples: usize,
    /// HDBSCAN's smallest cluster.
    pub min_cluster_size: usize,
    /// Starts of k-means, the best of which is kept.
    pub restarts: usize,
    /// Whether a region's center is its own most central member. Upstream takes the nearest sample of the whole pool,
    /// which may belong elsewhere.
    pub medoid: bool,
}

/// The unsmoothness below which an unlabelled sample is trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThresholdConfig {
    /// A fixed threshold; `None` finds it from the density of the samples.
    pub fixed: Option<f64>,
    /// Whether it is found on the holdout's inputs, as upstream does, or on the field pool.
    pub on_holdout: bool,
    /// Source samples whose distance is averaged.
    pub neighbors: usize,
    /// Samples around the mean density whose unsmoothness is averaged.
    pub sample: usize,
}

/// Which parts of the repair without labels are done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ZeroLabelConfig {
    /// Batch-norm statistics of the field. Off by default: it lost 1 to 2 points on every data set at hand
    /// (`docs/decisions/006`).
    pub batch_norm: bool,
    /// Class frequencies of the field.
    pub prior: bool,
}

impl Default for ZeroLabelConfig {
    fn default() -> Self {
        Self { batch_norm: false, prior: true }
    }
}

/// Which epoch of the repair is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EpochRule {
    /// The last.
    Last,
    /// The one whose predictions on the views of the field pool have the least entropy; needs no label.
    MinEntropy,
}

/// All settings of a repair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepairConfig {
    /// The whole pipeline by name.
    pub method: String,
    /// Replaces the method's selection rule.
    pub strategy: Option<String>,
    /// Where missing values came from.
    pub preset: Preset,
    /// Labels that may be bought.
    pub budget: Budget,
    /// The seed of all randomness.
    pub seed: u64,
    /// `auto`, `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// CPU threads; all cores when not given.
    pub threads: Option<usize>,
    /// The model under repair.
    pub checkpoint: Option<PathBuf>,
    /// The model under repair, as a scripted TorchScript module instead of a checkpoint.
    pub torchscript: Option<PathBuf>,
    /// `penultimate`, `penultimate-views`, a `.npy` with a row per sample of the field pool, or the file of a network.
    pub extractor: String,
    /// Channel statistics that the extractor expects, where its file does not say them.
    pub extractor_normalization: Option<Normalization>,
    /// Height and width of the pictures that the extractor expects, where its file does not say them.
    pub extractor_input: Option<[usize; 2]>,
    /// Which epoch of the repair is kept.
    pub keep: EpochRule,
    /// How much of the network is trained.
    pub tier: Tier,
    /// When training stops early.
    pub stop: StopConfig,
    /// How labels are bought.
    pub annotate: AnnotateConfig,
    /// The data.
    pub data: DataConfig,
    /// Regions and propagation.
    pub regions: RegionsConfig,
    /// The threshold on unsmoothness.
    pub threshold: ThresholdConfig,
    /// Replay, and training by the published and the supervised trainer.
    pub finetune: RepairSettings,
    /// Weak-to-strong training.
    pub matching: MatchSettings,
    /// The search for the learning rate.
    pub tune: RepairTuneConfig,
    /// Training behind a frozen trunk.
    pub cheap: CheapConfig,
    /// Repair without labels.
    pub zero_label: ZeroLabelConfig,
    /// When a repaired model is refused.
    pub guard: GuardSettings,
}

impl Default for RegionsConfig {
    fn default() -> Self {
        Self { average_size: 10, min_samples: 3, min_cluster_size: 5, restarts: 10, medoid: false }
    }
}

impl Default for ThresholdConfig {
    fn default() -> Self {
        Self { fixed: None, on_holdout: true, neighbors: 100, sample: 1000 }
    }
}

impl Default for RepairConfig {
    fn default() -> Self {
        Self::preset(Preset::Default)
    }
}

impl RepairConfig {
    /// Checks every setting that can be checked without data.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        self.finetune.check()?;
        self.matching.check()?;
        self.cheap.check()?;
        self.stop.check()?;
        self.check_method()?;
        let wrong = |what: &str| Err(Error::Config(what.to_owned()));
        let (r, t) = (&self.regions, &self.threshold);
        if r.average_size == 0 || r.restarts == 0 || r.min_samples == 0 || r.min_cluster_size < 2 {
            return wrong(
                "regions: average_size, restarts and min_samples are at least 1, min_cluster_size at least 2",
            );
        }
        let a = &self.annotate;
        if a.answers == 0 || a.random_share.is_some_and(|s| !(0.0..1.0).contains(&s)) {
            return wrong("annotate: answers is at least 1, random_share is at least 0 and below 1");
        }
        if !(0.0..=1.0).contains(&a.error_rate) {
            return wrong("annotate: error_rate is a probability");
        }
        if a.by == By::People && a.error_rate > 0.0 {
            return wrong("annotate: error_rate is for the oracle; people make their own errors");
        }
        if self.checkpoint.is_some() && self.torchscript.is_some() {
            return wrong("checkpoint and torchscript both name the model under repair: give one of them");
        }
        if t.neighbors == 0 || t.sample == 0 || t.fixed.is_some_and(|tau| !tau.is_finite()) {
            return wrong("threshold: neighbors and sample are at least 1, fixed is a finite number");
        }
        if let Some(c) = &self.finetune.consistency
            && (c.views > 255 || c.max_depth == 0 || !(c.severity > 0.1 && c.severity <= 10.0))
        {
            return wrong("consistency: at most 255 views, max_depth at least 1, severity above 0.1 and at most 10");
        }
        let u = &self.tune;
        if u.epochs == 0 || u.budget == 0 || u.range.is_some_and(|[lo, hi]| !(lo > 0.0 && lo < hi && hi.is_finite())) {
            return wrong("tune: epochs and budget are at least 1, range is a rising pair of rates above 0");
        }
        if let Some(file) = self.extractor.parse::<Extractor>()?.file() {
            std::fs::metadata(file).map_err(DataError::io(file))?;
        }
        Ok(())
    }

    /// What a method cannot do is refused, not left out without a word.
    fn check_method(&self) -> Result<(), Error> {
        let method = Method::named(&self.method)?;
        if self.tier == Tier::Cheap && method.trainer.takes_labels() && !method.trainer.has_cheap_tier() {
            let trainer = method.trainer.name();
            return Err(Error::Config(format!(
                "trainer {trainer} trains all layers: tier cheap is for supervised, fixmatch, softmatch and freematch"
            )));
        }
        Ok(())
    }

    /// The file of the model under repair.
    pub fn model_file(&self) -> Option<&Path> {
        self.checkpoint.as_deref().or(self.torchscript.as_deref())
    }

    /// The values of a preset.
    pub fn preset(preset: Preset) -> Self {
        let published = Self {
            method: "hybrid".to_owned(),
            strategy: None,
            preset,
            budget: Budget::Share(0.01),
            seed: 0,
            device: "auto".to_owned(),
            threads: None,
            checkpoint: None,
            torchscript: None,
            extractor: "penultimate".to_owned(),
            extractor_normalization: None,
            extractor_input: None,
            keep: EpochRule::Last,
            tier: Tier::Auto,
            stop: StopConfig::default(),
            annotate: AnnotateConfig::default(),
            data: DataConfig::default(),
            regions: RegionsConfig::default(),
            threshold: ThresholdConfig::default(),
            finetune: RepairSettings::default(),
            matching: MatchSettings::default(),
            tune: RepairTuneConfig::default(),
            cheap: CheapConfig::default(),
            zero_label: ZeroLabelConfig::default(),
            // upstream has none
            guard: GuardSettings { on: false, ..GuardSettings::default() },
        };
        match preset {
            Preset::Published => published,
            Preset::Corrected | Preset::Default => {
                let mut corrected = published;
                corrected.threshold.on_holdout = false;
                corrected.regions.medoid = true;
                corrected.regions.restarts = 3;
                corrected.guard.on = true;
                if preset == Preset::Default {
                    "coverage".clone_into(&mut corrected.method);
                }
                if let Some(consistency) = &mut corrected.finetune.consistency {
                    consistency.fresh_views = true;
                    consistency.fixed_order = false;
                }
                corrected
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_differ_where_the_fidelity_page_says() {
        let published = RepairConfig::preset(Preset::Published);
        let corrected = RepairConfig::preset(Preset::Corrected);
        assert!(published.threshold.on_holdout && !corrected.threshold.on_holdout);
        assert!(!published.regions.medoid && corrected.regions.medoid);
        assert_eq!((published.keep, corrected.keep), (EpochRule::Last, EpochRule::Last));
        assert_eq!(RepairConfig::preset(Preset::Default).finetune, corrected.finetune);
    }
}
