use crate::{
    Moment, Monitor, Sink, Snapshot, Task, TrainerError,
    optim::{Factor, optimizer, schedule},
    watch::Watch,
};
use hybridrepair_doctor::{DoctorError, Finding, Job, Mode, MonitorSettings, Reading, Trainer, Trial};
use hybridrepair_torch::{Model, Params};
use hybridrepair_train::{Fit, TrainError};
use std::time::Instant;

/// Trains plans on a task, on libtorch.
pub struct TorchTrainer<'a> {
    /// The data and how plans become models.
    pub task: &'a dyn Task,
    /// The monitor's settings.
    pub settings: &'a MonitorSettings,
    /// Where weights and readings go.
    pub sink: &'a mut dyn Sink,
}

/// What a training showed.
#[derive(Debug)]
pub struct Watched {
    /// In numbers.
    pub trial: Trial,
    /// Epoch by epoch.
    pub readings: Vec<Reading>,
    /// All problems, each once; the first is the trial's.
    pub findings: Vec<Finding>,
    /// The model with its last weights.
    pub model: Model,
}

impl TorchTrainer<'_> {
    /// Trains a plan; `mode` says whether a problem ends it.
    ///
    /// # Errors
    /// When the plan does not fit the data, or libtorch fails. A loss that is not finite is a problem and no error.
    pub fn watch(&mut self, job: Job<'_>, mode: Mode) -> Result<Watched, TrainerError> {
        let began = Instant::now();
        job.plan.check()?;
        let model = self.task.model(job.plan)?;
        let mut objective = self.task.objective(job.plan)?;
        if let Some(from) = job.from.and_then(|name| self.sink.load(name, Moment::Last)) {
            take_over(model.params(), &from);
        }
        let factor = Factor::default();
        let mut optimizer = optimizer(job.plan, &factor)?;
        let state_file = self.sink.state_file(job.name);
        let facts = self.task.facts(job.plan, job.epochs, self.settings.interval);
        let monitor = Monitor::new(self.settings, mode, facts);
        let mut watch = Watch::new(self.task, job.plan, job.name, monitor, &mut *self.sink, factor);
        let mut fit = Fit {
            model: &model,
            optimizer: &mut *optimizer,
            schedule: schedule(&job.plan.optimizer),
            epochs: job.epochs,
            streams: self.task.streams(),
            state_file: state_file.as_deref(),
            key: format!("{} {} {}", job.name, job.epochs, job.plan.fingerprint()),
        };
        match fit.run(&mut *objective, &mut watch) {
            Ok(_) => {}
            Err(TrainError::Diverged { epoch, .. }) => watch.diverged(epoch),
            Err(error) => return Err(error.into()),
        }
        if let Some(error) = watch.failed.take() {
            return Err(error);
        }
        let (readings, findings) =
            (std::mem::take(&mut watch.monitor.readings), std::mem::take(&mut watch.monitor.findings));
        self.sink.keep(job.name, Moment::Last, model.params().snapshot());
        if let Some(file) = state_file {
            // nothing more to go on with
            let _ = std::fs::remove_file(file);
        }
        let over = |of: fn(&Reading) -> f64, pick: fn(f64, f64) -> f64| readings.iter().map(of).fold(f64::NAN, pick);
        let trial = Trial {
            name: job.name.to_owned(),
            epochs: readings.len(),
            wished: job.epochs,
            finding: findings.first().cloned(),
            last_acc: readings.last().map_or(f64::NAN, |r| r.val.acc),
            settled: settled(&readings),
            best_acc: over(|r| r.val.acc, f64::max),
            best_loss: over(|r| r.val.loss, f64::min),
            seconds: began.elapsed().as_secs_f64(),
        };
        Ok(Watched { trial, readings, findings, model })
    }
}

impl Trainer for TorchTrainer<'_> {
    fn train(&mut self, job: Job<'_>) -> Result<Trial, DoctorError> {
        Ok(self.watch(job, Mode::Stop)?.trial)
    }
}

/// Mean validation accuracy of the last five epochs; NaN where the last one broke off.
fn settled(readings: &[Reading]) -> f64 {
    let last = &readings[readings.len().saturating_sub(5)..];
    last.iter().map(|r| r.val.acc).sum::<f64>() / last.len() as f64
}

/// Copies weights of another network into those of the same kind and shape, in order; layers that have none keep theirs, and
/// so do those whose weights were not finite.
fn take_over(params: &Params, from: &Snapshot) {
    let kind = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let mut at = 0;
    tch::no_grad(|| {
        for (name, tensor) in params.all() {
            let fits =
                |(n, t): &(String, _)| kind(n) == kind(name) && hybridrepair_torch::Tensor::size(t) == tensor.size();
            let Some(found) = (at..from.len()).find(|&i| fits(&from[i])) else { continue };
            at = found + 1;
            if from[found].1.isfinite().all().int64_value(&[]) == 1 {
                tensor.shallow_clone().copy_(&from[found].1);
            }
        }
    });
}
