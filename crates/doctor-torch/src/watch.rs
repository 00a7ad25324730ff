//! One training, watched epoch by epoch.

use crate::{
    Moment, Sink, Task,
    optim::{Factor, clip},
    probe,
};
use hybridrepair_doctor::{
    Facts, Finding, History, Mode, MonitorSettings, Plan, ProfileName, Reading, Rules, Score, rules,
};
use hybridrepair_torch::Model;
use hybridrepair_train::{EpochReading, Observer, Reading as Step, Verdict};

/// Rows of a probe at most, and at least where there are so many.
const MOST_ROWS: usize = 256;
const LEAST_ROWS: usize = 32;
/// Share of the samples between two checks that a probe may take.
const PROBE_SHARE: f64 = 0.004;

/// Observes one training: takes readings, asks the rules, keeps the best weights.
pub(crate) struct Watch<'a> {
    task: &'a dyn Task,
    plan: &'a Plan,
    name: &'a str,
    settings: &'a MonitorSettings,
    mode: Mode,
    facts: Facts,
    rules: Box<dyn Rules>,
    sink: &'a mut dyn Sink,
    factor: Factor,
    pub(crate) readings: Vec<Reading>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) failed: Option<crate::TrainerError>,
    best: f64,
    lowest: f64,
    /// Epochs since the validation loss was at its lowest, for early stopping and for the fall of the rate.
    waited: (usize, usize),
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        task: &'a dyn Task,
        plan: &'a Plan,
        (name, epochs): (&'a str, usize),
        settings: &'a MonitorSettings,
        mode: Mode,
        sink: &'a mut dyn Sink,
        factor: Factor,
    ) -> Self {
        let facts = task.facts(plan, epochs, settings.interval);
        let before = sink.begin(name, &facts);
        let mut watch = Self {
            task,
            plan,
            name,
            settings,
            mode,
            facts,
            rules: rules(settings),
            sink,
            factor,
            readings: Vec::new(),
            findings: Vec::new(),
            failed: None,
            best: f64::NEG_INFINITY,
            lowest: f64::INFINITY,
            waited: (0, 0),
        };
        // an interrupted training: everything that was seen is seen again
        for reading in before {
            watch.see(reading);
        }
        watch
    }

    /// Rows of the probe: the published profiles take the first batch.
    fn rows(&self) -> usize {
        let batch = self.plan.batch_size.min(self.facts.train_samples);
        if self.settings.profile != ProfileName::House {
            return batch;
        }
        let share = PROBE_SHARE * (self.facts.train_samples * self.settings.interval) as f64;
        let wish = (self.settings.batches * batch).min(share as usize);
        wish.clamp(LEAST_ROWS, MOST_ROWS).min(self.facts.train_samples)
    }

    /// Takes a reading and says how training goes on.
    fn see(&mut self, reading: Reading) -> Verdict {
        let val = reading.val;
        self.readings.push(reading);
        let mut verdict = Verdict::Continue;
        if val.loss < self.lowest {
            self.lowest = val.loss;
            self.waited = (0, 0);
        } else {
            self.waited = (self.waited.0 + 1, self.waited.1 + 1);
        }
        if let Some(plateau) = self.plan.plateau.filter(|p| self.waited.1 > p.patience) {
            let floor = (plateau.floor / self.plan.optimizer.lr).min(1.0);
            self.factor.set((self.factor.get() * plateau.factor).max(floor));
            self.waited.1 = 0;
        }
        if self.plan.early_stop.is_some_and(|patience| self.waited.0 > patience) {
            verdict = Verdict::Stop;
        }
        if self.mode == Mode::Off {
            return verdict;
        }
        let history = History { facts: &self.facts, readings: &self.readings };
        let Some(finding) = self.rules.check(&history) else { return verdict };
        // a problem that goes on is told once
        if !self.findings.iter().any(|f| f.problem == finding.problem) {
            self.sink.finding(self.name, &finding);
            self.findings.push(finding);
        }
        if self.mode == Mode::Watch { verdict } else { Verdict::Stop }
    }

    /// A training that broke off in this epoch.
    pub(crate) fn diverged(&mut self, epoch: usize) {
        let none = Score { loss: f64::NAN, acc: f64::NAN };
        let reading = Reading { epoch, train: none, val: none, diverged: true, probe: None };
        self.sink.reading(self.name, &reading);
        self.see(reading);
    }

    fn read(&mut self, epoch: &EpochReading, model: &Model) -> Result<Reading, crate::TrainerError> {
        let val = self.task.evaluate(self.plan, model)?;
        let acc = epoch.readings.get("train_acc").copied().unwrap_or(f64::NAN);
        let due = epoch.epoch % self.settings.interval == 0 || epoch.epoch + 1 == self.facts.epochs;
        let probe = (due && self.mode != Mode::Off).then(|| {
            let (x, y) = self.task.first_rows(self.plan, self.rows());
            probe(model, self.plan.loss, &x, &y, clip(self.plan))
        });
        let train = Score { loss: epoch.loss, acc };
        Ok(Reading { epoch: epoch.epoch, train, val, diverged: false, probe })
    }
}

impl Observer for Watch<'_> {
    fn after_step(&mut self, _: &Step, _: &Model) -> Verdict {
        Verdict::Continue
    }

    fn after_epoch(&mut self, epoch: &EpochReading, model: &Model) -> Verdict {
        match self.read(epoch, model) {
            Ok(reading) => {
                if reading.val.acc > self.best || self.readings.is_empty() {
                    self.best = reading.val.acc;
                    self.sink.keep(self.name, Moment::Best, model.params().snapshot());
                }
                self.sink.reading(self.name, &reading);
                self.see(reading)
            }
            Err(error) => {
                self.failed = Some(error);
                Verdict::Fail
            }
        }
    }
}
