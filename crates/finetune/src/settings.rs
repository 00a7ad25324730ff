use crate::ReplayTransform;
use hybridrepair_data::ViewConfig;
use hybridrepair_train::TrainError;
use serde::{Deserialize, Serialize};

/// Settings of the published repair training, with the published values as default (`HybridRepair`, sections 3.3, 3.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepairSettings {
    /// Epochs of two passes each.
    pub epochs: usize,
    /// Epochs of the preliminary fine-tune on replayed source data alone.
    pub replay_epochs: usize,
    /// Constant learning rate of both.
    pub lr: f64,
    /// Momentum of SGD.
    pub momentum: f64,
    /// L2 penalty of SGD.
    pub weight_decay: f64,
    /// Pictures per step of the supervised pass; half of the two streams of the consistency pass.
    pub batch_size: usize,
    /// Label smoothing on labels of the field and of the supervised pass.
    pub smoothing: f64,
    /// How the source pictures are shown when the replay set is chosen.
    pub replay_transform: ReplayTransform,
    /// The consistency pass; `None` leaves it out.
    pub consistency: Option<ConsistencySettings>,
}

/// The semi-supervised pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsistencySettings {
    /// Weight of the consistency loss.
    pub weight: f64,
    /// Sharpening temperature.
    pub temperature: f64,
    /// Parameter of the mixup Beta distribution.
    pub alpha: f64,
    /// Augmented views beside the clean picture.
    pub views: usize,
    /// Strength of the augmentation.
    pub severity: f64,
    /// Longest chain of augmentations.
    pub max_depth: usize,
    /// Whether the sampling weights `1 - u` follow the model from epoch to epoch.
    pub dynamic_weights: bool,
    /// Whether every epoch sees other augmentations. Upstream repeats them: its workers' generators start anew.
    pub fresh_views: bool,
    /// Whether methods without sampling weights see the unlabelled pictures in the order of the files in every epoch, as
    /// upstream's SSL baselines do (surely unintended there), or in a new random order.
    pub fixed_order: bool,
}

impl Default for RepairSettings {
    fn default() -> Self {
        Self {
            epochs: 10,
            replay_epochs: 10,
            lr: 1e-3,
            momentum: 0.9,
            weight_decay: 5e-4,
            batch_size: 64,
            smoothing: 0.1,
            replay_transform: ReplayTransform::Train,
            consistency: Some(ConsistencySettings::default()),
        }
    }
}

impl Default for ConsistencySettings {
    fn default() -> Self {
        let ViewConfig { views, severity, max_depth } = ViewConfig::default();
        Self {
            weight: 100.0,
            temperature: 0.5,
            alpha: 0.75,
            views,
            severity,
            max_depth,
            dynamic_weights: true,
            fresh_views: false,
            fixed_order: true,
        }
    }
}

impl ConsistencySettings {
    /// The settings of the views.
    pub fn view_config(&self) -> ViewConfig {
        ViewConfig { views: self.views, severity: self.severity, max_depth: self.max_depth }
    }
}

impl RepairSettings {
    /// Checks every number.
    ///
    /// # Errors
    /// Names the first setting outside its range.
    pub fn check(&self) -> Result<(), TrainError> {
        let c = self.consistency.clone().unwrap_or_default();
        let rules: [(&'static str, f64, bool, &'static str); 8] = [
            ("lr", self.lr, self.lr > 0.0, "is not above 0"),
            ("momentum", self.momentum, (0.0..1.0).contains(&self.momentum), "is outside [0, 1)"),
            ("weight decay", self.weight_decay, self.weight_decay >= 0.0, "is below 0"),
            ("batch size", self.batch_size as f64, self.batch_size > 0, "is not above 0"),
            ("smoothing", self.smoothing, (0.0..1.0).contains(&self.smoothing), "is outside [0, 1)"),
            ("consistency weight", c.weight, c.weight >= 0.0, "is below 0"),
            ("temperature", c.temperature, c.temperature > 0.0, "is not above 0"),
            ("mixup alpha", c.alpha, c.alpha > 0.0, "is not above 0"),
        ];
        match rules.into_iter().find(|(_, value, ok, _)| !ok || !value.is_finite()) {
            Some((what, given, _, why)) => Err(TrainError::Setting { what, given: given.to_string(), why }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_values_pass_and_nonsense_is_named() {
        let good = RepairSettings::default();
        assert!(good.check().is_ok());
        let bad = RepairSettings { lr: f64::NAN, ..good.clone() };
        assert!(bad.check().unwrap_err().to_string().starts_with("lr NaN"));
        assert!(RepairSettings { batch_size: 0, ..good }.check().is_err());
    }
}
