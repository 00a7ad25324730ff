use crate::{Error, Run};
use hybridrepair_runs::Metric;
use hybridrepair_torch::Model;
use hybridrepair_train::{EpochReading, Observer, Reading, STOPPED, Verdict};
use std::time::Instant;

type Save<'s> = Box<dyn FnMut(usize, &Model) -> Result<(), Error> + 's>;

/// Looks at a training while it runs, and may end it.
pub(crate) trait Watcher {
    /// After the gradients of a step.
    fn step(&mut self, step: &Reading, model: &Model) -> Verdict;

    /// After an epoch, with the model that would be kept of it.
    ///
    /// # Errors
    /// When libtorch fails, or a file cannot be written.
    fn epoch(&mut self, reading: &EpochReading, model: &Model) -> Result<Verdict, Error>;
}

/// Tells people and `metrics.jsonl` how training goes, and keeps a checkpoint per epoch where one is wanted.
pub(crate) struct ProgressObserver<'o, 'r, 's> {
    run: &'o mut Run<'r>,
    stage: &'static str,
    epochs: usize,
    began: Instant,
    save: Option<Save<'s>>,
    watch: Option<&'o mut (dyn Watcher + 's)>,
    failed: Option<Error>,
}

impl<'o, 'r, 's> ProgressObserver<'o, 'r, 's> {
    pub(crate) fn new(run: &'o mut Run<'r>, stage: &'static str, epochs: usize) -> Self {
        Self { run, stage, epochs, began: Instant::now(), save: None, watch: None, failed: None }
    }

    /// Saves the model after every epoch.
    pub(crate) fn saving(mut self, save: impl FnMut(usize, &Model) -> Result<(), Error> + 's) -> Self {
        self.save = Some(Box::new(save));
        self
    }

    /// Lets the guards watch.
    pub(crate) fn watched(mut self, watch: Option<&'o mut (dyn Watcher + 's)>) -> Self {
        self.watch = watch;
        self
    }

    /// The first failure to write, which an observer cannot return.
    pub(crate) fn finish(self) -> Result<(), Error> {
        self.failed.map_or(Ok(()), Err)
    }

    fn record(&mut self, reading: &EpochReading, model: &Model) -> Result<Verdict, Error> {
        let mut metric = Metric::of(self.stage);
        metric.epoch = Some(reading.epoch as u64 + 1);
        metric.step = Some(reading.steps as u64);
        metric.split = Some("train".to_owned());
        metric.loss = Some(reading.loss);
        metric.lr = Some(reading.lr);
        metric.images = Some(reading.images_trained);
        metric.seconds = Some(self.began.elapsed().as_secs_f64());
        metric.more = reading.readings.iter().map(|(k, &v)| (k.clone(), Some(v))).collect();
        self.run.metrics.record(&metric)?;
        if let Some(save) = &mut self.save {
            save(reading.epoch, model)?;
        }
        self.watch.as_mut().map_or(Ok(Verdict::Continue), |watch| watch.epoch(reading, model))
    }
}

impl Observer for ProgressObserver<'_, '_, '_> {
    fn after_step(&mut self, reading: &Reading, model: &Model) -> Verdict {
        let (epoch, planned) = (reading.at.epoch as u64, reading.planned_steps as u64);
        let note = format!("epoch {}/{}  loss {:.3}", epoch + 1, self.epochs, reading.loss);
        let total = planned * self.epochs as u64;
        self.run.progress.advance(epoch * planned + reading.at.step as u64 + 1, Some(total), &note);
        self.watch.as_mut().map_or(Verdict::Continue, |watch| watch.step(reading, model))
    }

    fn after_epoch(&mut self, reading: &EpochReading, model: &Model) -> Verdict {
        match self.record(reading, model) {
            Ok(Verdict::Continue) if reading.readings.contains_key(STOPPED) => Verdict::Stop,
            Ok(verdict) => verdict,
            // a run that cannot be written is not worth going on with
            Err(error) => {
                self.failed = Some(error);
                Verdict::Fail
            }
        }
    }
}
