use hybridrepair_train::{OptimSpec, TrainError};
use serde::{Deserialize, Serialize};

/// How far a guessed label is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchRule {
    /// All or nothing, at a fixed threshold (Sohn et al. 2020).
    FixMatch,
    /// By a truncated Gaussian of the confidence (Chen et al. 2023).
    SoftMatch,
    /// All or nothing, at a threshold per class that follows the model (Wang et al. 2023).
    FreeMatch,
}

/// Settings of weak-to-strong training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchSettings {
    /// Times around the field pool; with `around` above 1, so many times that.
    pub epochs: usize,
    /// Times around the field pool in each epoch, for small pools.
    pub around: usize,
    /// Highest learning rate; half a cosine takes it down to 0.
    pub lr: f64,
    /// Momentum of SGD, with Nesterov's look-ahead.
    pub momentum: f64,
    /// L2 penalty of SGD.
    pub weight_decay: f64,
    /// Source pictures per step (replay).
    pub source: usize,
    /// Labelled field pictures per step, drawn evenly over their classes.
    pub labelled: usize,
    /// Unlabelled field pictures per step.
    pub unlabelled: usize,
    /// Weight of the unlabelled loss.
    pub weight: f64,
    /// Least confidence of `FixMatch`.
    pub threshold: f64,
    /// Share that the averaged model keeps of itself per step.
    pub ema: f64,
    /// Whether guesses are aligned to the estimated class frequencies of the field.
    pub align: bool,
    /// Operations of the strong view.
    pub ops: usize,
    /// Side of the grey square of the strong view, as a share of the picture's.
    pub cutout: f64,
    /// Sharpening of a guess before it is learned: 0 takes its top class, 1 the guess as it is.
    pub temperature: f64,
    /// Batches of weak views, half of them source and half field pictures, by which the batch-norm statistics of the average
    /// are estimated anew after every epoch, so that strong views leave no trace in them; 0 for none.
    pub restate: usize,
    /// Weight of labels that are spread along the graph of neighbours, in the first epoch; it fades to nothing. 0 spreads none.
    pub guide: f64,
    /// Whether labelled field pictures are shown as strong views as well.
    pub strong_labels: bool,
    /// Another optimiser than SGD with the momentum and the penalty above, which do not count then. Its learning rate is
    /// `lr`, in the cheap tier that of `[cheap]`.
    pub optimizer: Option<OptimSpec>,
}

impl Default for MatchSettings {
    fn default() -> Self {
        Self {
            epochs: 12,
            around: 1,
            lr: 0.01,
            momentum: 0.9,
            weight_decay: 5e-4,
            source: 64,
            labelled: 32,
            unlabelled: 128,
            weight: 1.0,
            threshold: 0.95,
            ema: 0.99,
            align: true,
            ops: 1,
            cutout: 0.0,
            temperature: 0.0,
            restate: 20,
            guide: 0.0,
            strong_labels: true,
            optimizer: None,
        }
    }
}

impl MatchSettings {
    /// What takes the steps.
    pub fn optimizer(&self) -> OptimSpec {
        let (momentum, weight_decay) = (self.momentum, self.weight_decay);
        // Nesterov's look-ahead keeps rows of a head in the span of what it has seen, as plain momentum does
        self.optimizer.clone().unwrap_or(OptimSpec::Sgd { momentum, weight_decay, nesterov: true })
    }

    /// Steps of an epoch over a pool of so many pictures.
    pub fn steps_per_epoch(&self, field: usize) -> usize {
        (field / self.unlabelled.max(1)).max(1) * self.around
    }

    /// Pictures of a step that gradients go through.
    pub fn images_per_step(&self, field: usize) -> usize {
        self.source + self.labelled + self.unlabelled.min(field)
    }

    /// Checks every number.
    ///
    /// # Errors
    /// Names the first setting outside its range.
    pub fn check(&self) -> Result<(), TrainError> {
        let unit = |v: f64| (0.0..=1.0).contains(&v);
        let rules: [(&'static str, f64, bool, &'static str); 11] = [
            ("lr", self.lr, self.lr > 0.0, "is not above 0"),
            ("momentum", self.momentum, (0.0..1.0).contains(&self.momentum), "is outside [0, 1)"),
            ("weight decay", self.weight_decay, self.weight_decay >= 0.0, "is below 0"),
            ("unlabelled batch", self.unlabelled as f64, self.unlabelled > 0, "is not above 0"),
            ("around", self.around as f64, self.around > 0, "is not above 0"),
            ("unlabelled weight", self.weight, self.weight >= 0.0, "is below 0"),
            ("threshold", self.threshold, unit(self.threshold), "is outside [0, 1]"),
            ("ema", self.ema, (0.0..1.0).contains(&self.ema), "is outside [0, 1)"),
            ("temperature", self.temperature, self.temperature >= 0.0, "is below 0"),
            ("guide", self.guide, unit(self.guide), "is outside [0, 1]"),
            ("cutout", self.cutout, unit(self.cutout), "is outside [0, 1]"),
        ];
        match rules.into_iter().find(|(_, value, ok, _)| !ok || !value.is_finite()) {
            Some((what, given, _, why)) => Err(TrainError::Setting { what, given: given.to_string(), why }),
            None => Ok(()),
        }
    }
}
