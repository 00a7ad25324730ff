//! One training, watched epoch by epoch.

use crate::{
    Moment, Monitor, Sink, Task,
    optim::{Factor, clip},
    probe,
};
use hybridrepair_doctor::{Plan, Reading, Score};
use hybridrepair_torch::Model;
use hybridrepair_train::{EpochReading, Observer, Reading as Step, Verdict};

/// Observes one training: takes readings, asks the rules, keeps the best weights.
pub(crate) struct Watch<'a> {
    task: &'a dyn Task,
    plan: &'a Plan,
    name: &'a str,
    pub(crate) monitor: Monitor,
    sink: &'a mut dyn Sink,
    factor: Factor,
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
        name: &'a str,
        monitor: Monitor,
        sink: &'a mut dyn Sink,
        factor: Factor,
    ) -> Self {
        let before = sink.begin(name, monitor.facts());
        let (failed, best, lowest, waited) = (None, f64::NEG_INFINITY, f64::INFINITY, (0, 0));
        let mut watch = Self { task, plan, name, monitor, sink, factor, failed, best, lowest, waited };
        // an interrupted training: everything that was seen is seen again
        for reading in before {
            watch.see(reading);
        }
        watch
    }

    /// Takes a reading and says how training goes on.
    fn see(&mut self, reading: Reading) -> Verdict {
        let val = reading.val;
        self.best = self.best.max(val.acc);
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
        let (verdict, finding) = self.monitor.see(reading);
        if let Some(finding) = finding {
            self.sink.finding(self.name, &finding);
        }
        let enough = self.plan.early_stop.is_some_and(|patience| self.waited.0 > patience);
        if enough { Verdict::Stop } else { verdict }
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
        let probe = self.monitor.due(epoch.epoch).then(|| {
            let (x, y) = self.task.first_rows(self.plan, self.monitor.rows(self.plan.batch_size));
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
                if reading.val.acc > self.best || self.monitor.readings.is_empty() {
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
