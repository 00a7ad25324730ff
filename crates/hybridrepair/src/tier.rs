//! How much of the network a repair trains: all layers, or, on a machine without a GPU, what lies behind a frozen trunk.

use crate::{Error, Trainer};
use hybridrepair_train::Limits;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How much is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// All layers where the time allows it, else what lies behind a frozen trunk.
    Auto,
    /// All layers.
    Full,
    /// The head, or the last block and the head, on features that are computed once.
    Cheap,
}

impl Tier {
    /// Its name in `summary.json`; one that nobody has chosen trains all layers.
    pub fn name(self) -> &'static str {
        if self == Self::Cheap { "cheap" } else { "full" }
    }
}

/// Where the cheap tier cuts the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layers {
    /// Before the last block where the network has one and what must be kept of it fits `memory_mib`, else before the head.
    Auto,
    /// Before the last dense layer.
    Head,
    /// Before the last block; of a TorchScript module, which cannot be cut, before the head.
    Block,
}

/// Settings of the cheap tier; the rest is that of weak-to-strong training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheapConfig {
    /// What is trained.
    pub layers: Layers,
    /// Weak views kept of each field picture.
    pub weak: usize,
    /// Strong views kept of each field picture.
    pub strong: usize,
    /// Weak views kept of each source picture.
    pub source: usize,
    /// Most source pictures that are replayed, drawn by seed.
    pub source_images: usize,
    /// The most that kept outputs of the last block may take; more, and the head alone is trained.
    pub memory_mib: usize,
    /// Epochs.
    pub epochs: usize,
    /// Least steps in all: a small pool is gone around several times in an epoch.
    pub steps: usize,
    /// Highest learning rate.
    pub lr: f64,
}

impl Default for CheapConfig {
    fn default() -> Self {
        Self {
            layers: Layers::Auto,
            weak: 2,
            strong: 3,
            source: 2,
            source_images: 10_000,
            memory_mib: 1024,
            epochs: 12,
            steps: 1000,
            lr: 0.01,
        }
    }
}

/// When training stops before its epochs are over; whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StopConfig {
    /// After so many steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Before more pictures than these went through a backward pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<u64>,
    /// When the command has run so long that what comes after training still fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
}

/// Share of the time that is kept for what comes after training: guards and evaluation.
const AFTER: f64 = 0.1;

impl StopConfig {
    /// Whether there is any.
    pub fn any(&self) -> bool {
        self.steps.is_some() || self.images.is_some() || self.minutes.is_some()
    }

    /// The limits of a command that began then.
    pub fn limits(&self, began: Instant) -> Limits {
        let until = self.minutes.map(|m| began + Duration::from_secs_f64(60.0 * m * (1.0 - AFTER)));
        Limits { steps: self.steps, images: self.images, until }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// Names the first that cannot be.
    pub fn check(&self) -> Result<(), Error> {
        if self.steps == Some(0) || self.images == Some(0) {
            return Err(Error::Config("stop: steps and images are at least 1".to_owned()));
        }
        match self.minutes {
            Some(m) if !(m > 0.0 && m <= 1e6) => {
                Err(Error::Config(format!("stop: minutes {m} is not above 0 and at most 1000000")))
            }
            _ => Ok(()),
        }
    }
}

impl CheapConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// Names the first that cannot be.
    pub fn check(&self) -> Result<(), Error> {
        let counts = [self.weak, self.strong, self.source, self.source_images, self.steps];
        if counts.contains(&0) {
            return Err(Error::Config(
                "cheap: weak, strong, source, source_images and steps are at least 1".to_owned(),
            ));
        }
        if [self.weak, self.strong, self.source].into_iter().any(|views| views > 64) {
            return Err(Error::Config("cheap: at most 64 views".to_owned()));
        }
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            return Err(Error::Config(format!("cheap: lr {} is not above 0", self.lr)));
        }
        Ok(())
    }
}

impl Trainer {
    /// Whether it can train behind a frozen trunk.
    pub fn has_cheap_tier(self) -> bool {
        self.rule().is_some() || self == Self::Supervised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_named() {
        let good = CheapConfig::default();
        assert!(good.check().is_ok() && StopConfig::default().check().is_ok());
        assert!(CheapConfig { strong: 0, ..good.clone() }.check().is_err());
        assert!(CheapConfig { weak: 65, ..good.clone() }.check().is_err());
        assert!(CheapConfig { lr: f64::NAN, ..good }.check().is_err());
        for minutes in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let wrong = StopConfig { minutes: Some(minutes), ..StopConfig::default() };
            assert!(wrong.check().unwrap_err().to_string().contains("minutes"), "{minutes}");
        }
        assert!(StopConfig { steps: Some(0), ..StopConfig::default() }.check().is_err());
        assert!(Trainer::SoftMatch.has_cheap_tier() && !Trainer::Published.has_cheap_tier());
    }
}
