//! Fine-tuning that goes wrong is noticed while it runs.

use super::guard::Guard;
use crate::{Error, Session, doctoring::open_readings, observe::Watcher};
use hybridrepair_doctor::{Facts, Probe, Reading, ReadingLine, Score, symptoms::swings};
use hybridrepair_doctor_torch::read_gradients;
use hybridrepair_runs::{JsonLines, Layout};
use hybridrepair_torch::Model;
use hybridrepair_train::{EpochReading, Reading as Step, Verdict};
use std::collections::VecDeque;

/// Steps from one look at the gradients to the next.
const LOOK: usize = 25;
/// Looks in a row at a head without gradient that are too many.
const DEAD_LOOKS: usize = 3;
/// Steps whose mean loss is compared.
const STEPS: usize = 50;
/// Growth of the mean loss that is an explosion, and how far above a constant answer's it must be.
const GROWTH: f64 = 5.0;
/// Swings of the held-out accuracy that are an oscillation, and their least size.
const SWINGS: usize = 3;
const SWING: f64 = 0.03;

/// Watches losses and gradients step by step, and what the guards see epoch by epoch.
pub(super) struct Watch<'g, 's> {
    guard: &'g mut Guard<'s>,
    steps: StepWatch,
    readings: JsonLines,
    probe: Option<Probe>,
    accuracies: Vec<f64>,
    samples: usize,
    /// Epochs in a row that the guards saw collapse.
    collapsed: usize,
    /// Why training was stopped.
    pub(super) why: Option<String>,
}

impl<'g, 's> Watch<'g, 's> {
    /// Nothing seen yet; readings go to the run's `readings.jsonl`.
    pub(super) fn new(
        session: &Session,
        layout: &Layout,
        guard: &'g mut Guard<'s>,
        epochs: usize,
    ) -> Result<Self, Error> {
        let classes = session.splits.classes();
        let shares = hybridrepair_core::prior::class_frequencies(&session.splits.train.labels, classes);
        let samples = session.splits.val.labels.len();
        let facts = Facts {
            epochs,
            interval: 1,
            classes,
            chance: shares.into_iter().fold(0.0, f64::max),
            train_samples: session.splits.train.labels.len(),
            val_samples: samples,
            output: None,
        };
        let (readings, before) = open_readings(&layout.readings(), Some(layout.state()), &facts)?;
        let accuracies = before.iter().map(|r| r.val.acc).collect();
        let steps = StepWatch::new(classes);
        Ok(Self { guard, steps, readings, probe: None, accuracies, samples, collapsed: 0, why: None })
    }

    fn stop(&mut self, why: String) -> Verdict {
        self.why = Some(why);
        Verdict::RollBack
    }
}

impl Watcher for Watch<'_, '_> {
    fn step(&mut self, step: &Step, model: &Model) -> Verdict {
        let probe = step.at.step.is_multiple_of(LOOK).then(|| read_gradients(model));
        let head = probe.as_ref().and_then(|p| p.layers.last()).map(|l| l.gradient);
        self.probe = probe.or(self.probe.take());
        match self.steps.see(step.loss, head) {
            Some(why) => self.stop(why),
            None => Verdict::Continue,
        }
    }

    fn epoch(&mut self, reading: &EpochReading, model: &Model) -> Result<Verdict, Error> {
        let (acc, collapse) = self.guard.watch(reading.epoch, model)?;
        self.accuracies.push(acc);
        let train = reading.readings.get("train_acc").copied().unwrap_or(f64::NAN);
        self.readings.append(&ReadingLine::Reading(Reading {
            epoch: reading.epoch,
            train: Score { loss: reading.loss, acc: train },
            val: Score { loss: f64::NAN, acc },
            diverged: false,
            probe: self.probe.take(),
        }))?;
        self.collapsed = if collapse.is_some() { self.collapsed + 1 } else { 0 };
        if let Some(why) = collapse.filter(|_| self.collapsed >= 2) {
            return Ok(self.stop(why));
        }
        let error = (acc * (1.0 - acc) / self.samples.max(1) as f64).sqrt();
        let swings = swings(&self.accuracies, SWING.max(2.0 * error));
        if swings.count >= SWINGS {
            let (count, mean, n) = (swings.count, 100.0 * swings.mean, self.accuracies.len());
            return Ok(self.stop(format!(
                "held-out accuracy fell {count} times by {mean:.1} points on average in {n} epochs: training oscillates"
            )));
        }
        Ok(Verdict::Continue)
    }
}

/// What single steps show.
struct StepWatch {
    classes: usize,
    first: Vec<f64>,
    last: VecDeque<f64>,
    dead: usize,
}

impl StepWatch {
    fn new(classes: usize) -> Self {
        Self { classes, first: Vec::new(), last: VecDeque::new(), dead: 0 }
    }

    /// Takes the loss of a step and, where it was looked at, the norm of the last layer's gradient; says what is wrong.
    fn see(&mut self, loss: f64, head: Option<f64>) -> Option<String> {
        if self.first.len() < STEPS {
            self.first.push(loss);
        }
        self.last.push_back(loss);
        if self.last.len() > STEPS {
            self.last.pop_front();
        }
        if let Some(norm) = head {
            // a loss of 0 has no gradient either, and nothing is wrong with it
            self.dead = if norm == 0.0 && loss > 0.01 { self.dead + 1 } else { 0 };
        }
        if self.dead >= DEAD_LOOKS {
            return Some(format!("the last layer had no gradient at {DEAD_LOOKS} looks in a row: its head is dead"));
        }
        if self.last.len() == STEPS {
            let (before, now) = (mean(self.first.iter()), mean(self.last.iter()));
            if now > GROWTH * before && now > 2.0 * (self.classes.max(2) as f64).ln() {
                return Some(format!(
                    "the mean loss of {STEPS} steps grew from {before:.3} to {now:.3}: training explodes"
                ));
            }
        }
        None
    }
}

fn mean<'a>(numbers: impl ExactSizeIterator<Item = &'a f64>) -> f64 {
    let n = numbers.len().max(1) as f64;
    numbers.sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The step at which something is said, and what.
    fn said(losses: impl Iterator<Item = f64>, head: impl Fn(usize) -> f64) -> Option<(usize, String)> {
        let mut watch = StepWatch::new(10);
        losses.enumerate().find_map(|(i, loss)| {
            let head = i.is_multiple_of(LOOK).then(|| head(i));
            watch.see(loss, head).map(|why| (i, why))
        })
    }

    #[test]
    fn losses_that_fall_wobble_or_rise_a_little_pass() {
        let wobble = |i: usize| 1.0 + 0.5 * ((i % 7) as f64 - 3.0) / 3.0;
        assert_eq!(said((0..500).map(wobble), |_| 0.1), None);
        assert_eq!(said((0..500).map(|i| 0.01 + 0.001 * i as f64), |_| 0.1), None, "far below a constant answer");
        // one bad batch
        assert_eq!(said((0..500).map(|i| if i == 200 { 50.0 } else { 0.5 }), |_| 0.1), None);
    }

    #[test]
    fn an_explosion_and_a_dead_head_are_told() {
        let (at, why) = said((0..500).map(|i| if i < 100 { 0.5 } else { 30.0 }), |_| 0.1).unwrap();
        assert!((105..130).contains(&at) && why.contains("explodes"), "{at} {why}");
        let (at, why) = said((0..500).map(|_| 2.3), |i| if i < 100 { 0.1 } else { 0.0 }).unwrap();
        assert_eq!(at, 150);
        assert!(why.contains("head is dead"), "{why}");
        assert_eq!(said((0..500).map(|_| 0.0), |_| 0.0), None, "nothing is left to learn");
    }
}
