use crate::{Activation, Loss, number};
use serde::{Deserialize, Serialize};

/// What the rules must know of a training beside its readings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Epochs that it shall have.
    pub epochs: usize,
    /// Epochs from one probe to the next.
    pub interval: usize,
    /// Classes.
    pub classes: usize,
    /// Share of the most frequent class of the training set: what a constant answer is right on.
    pub chance: f64,
    /// Training samples.
    pub train_samples: usize,
    /// Validation samples.
    pub val_samples: usize,
    /// Loss and output, where the network is known.
    pub output: Option<OutputFacts>,
}

/// How a network ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFacts {
    /// Units of the last layer.
    pub width: usize,
    /// Their activation.
    pub activation: Activation,
    /// The loss.
    pub loss: Loss,
}

/// Loss and accuracy on one part of the data after an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean loss; NaN where it is not finite or was not measured.
    #[serde(with = "number")]
    pub loss: f64,
    /// Top-1 accuracy in [0, 1]; NaN where it was not measured.
    #[serde(with = "number")]
    pub acc: f64,
}

/// What an epoch showed. Training scores are means over the batches of the epoch, in training mode, while the weights move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The epoch, from 0.
    pub epoch: usize,
    /// On the training set.
    pub train: Score,
    /// On the validation set.
    pub val: Score,
    /// Whether the training stopped here because a loss or weight was not finite. Told by itself, as a loss that was not
    /// measured looks the same.
    #[serde(default)]
    pub diverged: bool,
    /// The gradients and outputs of the probe, at every `interval`-th epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
}

/// Gradients, weights and outputs after the updates of an epoch, on fixed batches in inference mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// The layers with weights, input side first.
    pub layers: Vec<LayerReading>,
    /// Share of the entries of all gradients, biases included, that are exactly 0.
    #[serde(with = "number")]
    pub zeros: f64,
    /// Whether all gradients are finite.
    pub finite_gradients: bool,
    /// Whether all weights are.
    pub finite_weights: bool,
    /// What the network gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputReading>,
}

/// One layer with weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerReading {
    /// Name of its weight.
    pub name: String,
    /// Euclidean norm of the weight's gradient.
    #[serde(with = "number")]
    pub gradient: f64,
    /// Euclidean norm of the weight.
    #[serde(with = "number")]
    pub weight: f64,
    /// Share of its units whose activation is 0 for every sample of the probe, where it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead: Option<f64>,
    /// Mean absolute activation, where it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<f64>,
}

/// What the network gave on the probe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputReading {
    /// Largest sum over a sample's absolute outputs.
    #[serde(with = "number")]
    pub row_sum: f64,
    /// Number of classes that were said to at least one sample.
    pub classes_said: usize,
}

impl Probe {
    /// Norm of the first layer's gradient.
    pub fn first(&self) -> f64 {
        self.layers.first().map_or(f64::NAN, |l| l.gradient)
    }

    /// Norm of the first layer's gradient over that of the last; NaN when both are 0.
    pub fn ratio(&self) -> f64 {
        self.layers.last().map_or(f64::NAN, |last| self.first() / last.gradient)
    }
}

/// The readings of a run so far.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// What must be known beside.
    pub facts: &'a Facts,
    /// One per finished epoch, in order.
    pub readings: &'a [Reading],
}

impl<'a> History<'a> {
    /// The last reading.
    pub fn last(&self) -> Option<&'a Reading> {
        self.readings.last()
    }

    /// Training accuracies.
    pub fn train_acc(&self) -> Vec<f64> {
        self.readings.iter().map(|r| r.train.acc).collect()
    }

    /// Validation accuracies.
    pub fn val_acc(&self) -> Vec<f64> {
        self.readings.iter().map(|r| r.val.acc).collect()
    }

    /// The probe of the last epoch, where it had one.
    pub fn probe(&self) -> Option<&'a Probe> {
        self.last().and_then(|r| r.probe.as_ref())
    }
}

/// The largest number; NaN of none, and NaN entries are passed over.
pub(crate) fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::NAN, f64::max)
}

/// One line of a file of readings: what must be known comes first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadingLine {
    /// What the rules must know beside.
    Facts(Facts),
    /// An epoch.
    Reading(Reading),
}
