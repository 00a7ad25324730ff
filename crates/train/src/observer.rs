use hybridrepair_torch::Model;
use serde::{Deserialize, Serialize};
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
    pub loss: f64,
    /// Learning rate of its last step.
    pub lr: f64,
    /// Pictures times backward passes.
    pub images_trained: u64,
    /// Pictures that were only predicted.
    pub images_forward: u64,
    /// The objective's own readings.
    pub readings: BTreeMap<String, f64>,
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
