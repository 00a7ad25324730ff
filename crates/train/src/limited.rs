use crate::{At, Objective, StepLoss, TrainError};
use hybridrepair_torch::{Model, Tensor};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// When training stops before its epochs are over; whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// After so many steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Before more pictures than these went through a backward pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<u64>,
    /// Not written: a moment of this process.
    #[serde(skip)]
    pub until: Option<Instant>,
}

impl Limits {
    /// Epochs that are begun, of `epochs` with so many steps and pictures per step, so that a schedule over them ends where
    /// training does.
    pub fn epochs(&self, epochs: usize, steps: usize, images_per_step: usize) -> usize {
        let by_images = self.images.map(|n| n / images_per_step.max(1) as u64);
        let most = [self.steps, by_images].into_iter().flatten().min();
        most.map_or(epochs, |most| epochs.min((most.div_ceil(steps.max(1) as u64) as usize).max(1)))
    }
}

/// Among an epoch's readings: training has reached a limit, and stops here.
pub const STOPPED: &str = "stopped";

/// An objective that ends its epochs early once a limit is reached, and then says so in its readings ([`STOPPED`]).
pub struct Limited {
    inner: Box<dyn Objective>,
    limits: Limits,
    steps: u64,
    /// Steps before the present epoch.
    begun: u64,
    images: u64,
    /// Pictures of the step before, by which the next is guessed.
    last: u64,
}

/// Numbers are saved as `f32`, which counts to this without a gap.
const WHOLE: u64 = 1 << 20;

impl Limited {
    /// `inner` within these limits.
    pub fn new(inner: Box<dyn Objective>, limits: Limits) -> Self {
        Self { inner, limits, steps: 0, begun: 0, images: 0, last: 0 }
    }

    /// Whether no further step may be made. The first always may: what it costs is not known before.
    fn reached(&self) -> bool {
        let Limits { steps, images, until } = self.limits;
        self.steps > 0
            && (steps.is_some_and(|most| self.steps >= most)
                || images.is_some_and(|most| self.images + self.last > most)
                || until.is_some_and(|end| Instant::now() >= end))
    }
}

impl Objective for Limited {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn begin_epoch(&mut self, model: &Model, epoch: usize) -> Result<(), TrainError> {
        self.begun = self.steps;
        self.inner.begin_epoch(model, epoch)
    }

    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        if self.reached() {
            return Ok(None);
        }
        let step = self.inner.step(model, at)?;
        if let Some(step) = &step {
            self.steps += 1;
            self.images += step.images_trained;
            self.last = step.images_trained;
        }
        Ok(step)
    }

    fn planned_steps(&self) -> usize {
        let most = self.limits.steps.map_or(u64::MAX, |most| most.saturating_sub(self.begun).max(1));
        self.inner.planned_steps().min(usize::try_from(most).unwrap_or(usize::MAX))
    }

    fn end_epoch(&mut self, model: &Model, epoch: usize) -> Result<Vec<(String, f64)>, TrainError> {
        let mut readings = self.inner.end_epoch(model, epoch)?;
        if self.reached() {
            readings.push((STOPPED.to_owned(), 1.0));
        }
        Ok(readings)
    }

    fn averaged(&self) -> Option<&Model> {
        self.inner.averaged()
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let split = |n: u64| [(n / WHOLE) as f32, (n % WHOLE) as f32];
        let mut state = self.inner.state();
        let numbers = [split(self.steps), split(self.images), split(self.last)].concat();
        state.push(("limits".to_owned(), Tensor::from_slice(&numbers)));
        state
    }

    fn load_state(&mut self, state: &[(String, Tensor)], model: &Model) -> Result<(), TrainError> {
        let saved = state.iter().find(|(n, _)| n == "limits");
        let numbers: Vec<f32> = saved.and_then(|(_, t)| Vec::try_from(t).ok()).unwrap_or_default();
        if let [a, b, c, d, e, f] = numbers[..] {
            let join = |high: f32, low: f32| high as u64 * WHOLE + low as u64;
            (self.steps, self.images, self.last) = (join(a, b), join(c, d), join(e, f));
        }
        self.inner.load_state(state, model)
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn a_schedule_ends_with_the_limit() {
        let limits = |steps, images| Limits { steps, images, until: None };
        assert_eq!(limits(None, None).epochs(12, 10, 100), 12);
        assert_eq!(limits(Some(25), None).epochs(12, 10, 100), 3);
        assert_eq!(limits(Some(25), Some(900)).epochs(12, 10, 100), 1);
        assert_eq!(limits(Some(1000), Some(u64::MAX)).epochs(12, 10, 100), 12);
        assert_eq!(limits(Some(0), None).epochs(12, 10, 0), 1);
    }
}
