use crate::{DoctorError, NetSpec, OutputFacts};
use serde::{Deserialize, Serialize};

/// What is minimised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Over two or more outputs that sum up to 1.
    #[default]
    CrossEntropy,
    /// Over one output in (0, 1).
    BinaryCrossEntropy,
    /// Mean squared difference from one output per class.
    MeanSquared,
    /// Mean absolute difference from one output per class.
    MeanAbsolute,
}

/// An optimiser and what users set of it; everything else has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerPlan {
    /// Its name: sgd, adam, adamw, nadam, adamax, rmsprop, adagrad, adadelta or adabound.
    pub name: String,
    /// Learning rate.
    pub lr: f64,
    /// Momentum, for those that have one.
    #[serde(default)]
    pub momentum: f64,
    /// L2 penalty.
    #[serde(default)]
    pub weight_decay: f64,
    /// Nesterov's look-ahead, for plain descent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nesterov: bool,
    /// Epochs over which the rate rises from 0.
    #[serde(default)]
    pub warmup: f64,
    /// Whether the rate falls on half a cosine to 0 at the end, instead of staying.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cosine: bool,
}

/// A bound on gradients.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clipping {
    /// On every entry.
    Value(f64),
    /// On the Euclidean norm of all together.
    Norm(f64),
}

/// How inputs are scaled; the statistics come from the training set alone, except where it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// As they are.
    #[default]
    None,
    /// Every feature to [-1, 1].
    MinMax,
    /// The same for training and validation separately, as the published system does.
    MinMaxEach,
    /// Every feature to mean 0 and standard deviation 1.
    Standard,
}

/// A rate that falls when the validation loss does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// Factor on the rate.
    pub factor: f64,
    /// Epochs without a new best before.
    pub patience: usize,
    /// The rate does not fall below.
    pub floor: f64,
}

/// Where a retraining begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// From initial weights of the same seed.
    #[default]
    Fresh,
    /// From the weights at the moment of detection, where their shapes fit.
    Warm,
}

/// A model and how it is trained: what remedies change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Passes over the training set.
    pub epochs: usize,
    /// Samples per step.
    pub batch_size: usize,
    /// What is minimised.
    #[serde(default)]
    pub loss: Loss,
    /// How inputs are scaled.
    #[serde(default)]
    pub scaling: Scaling,
    /// Stop when the validation loss has not fallen for so many epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<usize>,
    /// Which draw of the initial weights.
    #[serde(default)]
    pub draw: u64,
    /// Bound on gradients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<Clipping>,
    /// Fall of the rate on plateaus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plateau: Option<Plateau>,
    /// What moves the weights.
    pub optimizer: OptimizerPlan,
    /// The network; `None` for one that cannot be edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<NetSpec>,
}

impl OptimizerPlan {
    /// An optimiser with its defaults at this rate.
    pub fn new(name: &str, lr: f64) -> Self {
        let name = name.to_owned();
        Self { name, lr, momentum: 0.0, weight_decay: 0.0, nesterov: false, warmup: 0.0, cosine: false }
    }

    /// Its usual rate: 0.01 for plain descent, else 0.001.
    pub fn usual_rate(&self) -> f64 {
        if self.name == "sgd" { 0.01 } else { 0.001 }
    }
}

impl Plan {
    /// What the rules may know of the network's end.
    pub fn output(&self) -> Option<OutputFacts> {
        let net = self.net.as_ref()?;
        Some(OutputFacts { width: net.width(), activation: net.output, loss: self.loss })
    }

    /// Checks everything that can be checked without data.
    ///
    /// # Errors
    /// Names the first setting that cannot be used.
    pub fn check(&self) -> Result<(), DoctorError> {
        if self.epochs == 0 || self.batch_size == 0 {
            return Err(DoctorError::setting("plan", "0", "epochs and batch_size are at least 1"));
        }
        let o = &self.optimizer;
        for (what, value) in [("lr", o.lr), ("weight_decay", o.weight_decay), ("warmup", o.warmup)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(DoctorError::setting(what, value, "is not a finite number above or equal to 0"));
            }
        }
        if !(0.0..1.0).contains(&o.momentum) {
            return Err(DoctorError::setting("momentum", o.momentum, "is not at least 0 and below 1"));
        }
        if let Some(Clipping::Value(bound) | Clipping::Norm(bound)) = self.clip
            && (bound.is_nan() || bound <= 0.0)
        {
            return Err(DoctorError::setting("clip", bound, "is not above 0"));
        }
        self.net.as_ref().map_or(Ok(()), NetSpec::check)
    }

    /// A name for exactly this plan.
    pub fn fingerprint(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        // FNV-1a
        let hash =
            text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        format!("{hash:016x}")
    }
}
