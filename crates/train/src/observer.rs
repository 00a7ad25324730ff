use hybridrepair_torch::Model;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// A place in training, both counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The epoch.
    pub epoch: usize,
    /// The step in the epoch.
    pub step: usize,
}

/// What a step showed.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Where.
    pub at: At,
    /// Steps of this epoch, as far as known.
    pub planned_steps: usize,
    /// The loss of the step.
    pub loss: f64,
    /// The learning rate of the step.
    pub lr: f64,
}

/// What an epoch showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReading {
    /// The epoch, from 0.
    pub epoch: usize,
    /// Its steps.
    pub steps: usize,
    /// Mean loss of its steps.
    #[serde(deserialize_with = "number")]
    pub loss: f64,
    /// Learning rate of its last step.
    pub lr: f64,
    /// Pictures times backward passes.
    pub images_trained: u64,
    /// Pictures that were only predicted.
    pub images_forward: u64,
    /// The objective's own readings.
    #[serde(deserialize_with = "numbers")]
    pub readings: BTreeMap<String, f64>,
}

// JSON has no number for what is not one, and writes null

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
}

fn numbers<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let read = BTreeMap::<String, Option<f64>>::deserialize(from)?;
    Ok(read.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
}

/// What shall happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Continue,
    /// Stop here and keep the weights.
    Stop,
    /// Stop and go back to the weights at the beginning of the epoch.
    RollBack,
    /// Stop, and take the epoch as not done: what it gave could not be kept.
    Fail,
}

/// Watches training. Gradients lie in the model's parameters when [`Observer::after_step`] is called.
pub trait Observer {
    /// After the gradients of a step are there and before the weights move.
    fn after_step(&mut self, reading: &Reading, model: &Model) -> Verdict;

    /// After an epoch.
    fn after_epoch(&mut self, reading: &EpochReading, model: &Model) -> Verdict;
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn after_step(&mut self, _: &Reading, _: &Model) -> Verdict {
        Verdict::Continue
    }

    fn after_epoch(&mut self, _: &EpochReading, _: &Model) -> Verdict {
        Verdict::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_comes_back_as_such() {
        let readings = [("acc".to_owned(), 0.5), ("gone".to_owned(), f64::NAN)].into();
        let reading = EpochReading {
            epoch: 1,
            steps: 2,
            loss: f64::INFINITY,
            lr: 0.1,
            images_trained: 3,
            images_forward: 4,
            readings,
        };
        let back: EpochReading = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
        assert!(back.loss.is_nan() && back.readings["gone"].is_nan());
        assert_eq!((back.readings["acc"], back.images_forward), (0.5, 4));
    }
}
