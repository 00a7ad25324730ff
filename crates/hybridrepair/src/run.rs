use crate::{Error, Progress};
use hybridrepair_core::Ledger;
use hybridrepair_runs::{Event, EventLog, LedgerFile, MetricLog, RunDir};
use std::{collections::BTreeMap, time::Instant};

/// A run that is being written: its folder, logs, ledger and what it has cost so far.
pub struct Run<'a> {
    /// The folder.
    pub dir: RunDir,
    /// `events.jsonl`.
    pub events: EventLog,
    /// `metrics.jsonl`.
    pub metrics: MetricLog,
    /// Every reading of a sealed label.
    pub ledger: Ledger,
    ledger_file: LedgerFile,
    /// When this command began to work.
    pub began: Instant,
    /// Whether to go on with the answers that are there when some are missing.
    pub partial: bool,
    /// Who is told how far it is.
    pub progress: &'a mut dyn Progress,
    /// Seconds per stage; of a cached stage, those of its computation.
    pub seconds: BTreeMap<String, f64>,
    /// Pictures times backward passes.
    pub images_trained: u64,
    /// Pictures that were only predicted.
    pub images_forward: u64,
}

/// What a stage gives beside its result.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Whether the result was there already.
    pub cached: bool,
    /// Seconds of the computation, when it was cached.
    pub seconds: Option<f64>,
    /// Pictures times backward passes.
    pub images_trained: u64,
    /// Pictures that were only predicted.
    pub images_forward: u64,
}

impl<'a> Run<'a> {
    /// Begins to write a run.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn open(dir: RunDir, budget: usize, progress: &'a mut dyn Progress) -> Result<Self, Error> {
        let layout = dir.layout();
        let (ledger_file, ledger) = LedgerFile::open(&layout.ledger(), budget)?;
        let mut events = EventLog::open(&layout.events())?;
        events.record(Event::RunStart { version: env!("CARGO_PKG_VERSION").to_owned() })?;
        Ok(Self {
            events,
            metrics: MetricLog::open(&layout.metrics())?,
            dir,
            began: Instant::now(),
            ledger,
            ledger_file,
            partial: false,
            progress,
            seconds: BTreeMap::new(),
            images_trained: 0,
            images_forward: 0,
        })
    }

    /// Runs one stage: tells the observers, keeps the ledger on disk, and adds up the cost.
    ///
    /// # Errors
    /// Those of the stage.
    pub fn stage<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Self) -> Result<(T, Cost), Error>,
    ) -> Result<T, Error> {
        self.progress.begin(name, None);
        let clock = self.events.stage_start(name)?;
        let worked = work(self);
        // bought labels are on disk before anything else happens, also when the stage failed
        self.ledger_file.sync(&self.ledger)?;
        let (result, cost) = worked?;
        let measured = self.events.stage_end(clock, cost.cached)?;
        self.progress.end(cost.cached);
        *self.seconds.entry(name.to_owned()).or_default() += cost.seconds.unwrap_or(measured);
        self.images_trained += cost.images_trained;
        self.images_forward += cost.images_forward;
        Ok(result)
    }

    /// Brings the ledger to the disk; every stage does so at its end, and at once where labels are bought.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn sync_ledger(&mut self) -> Result<(), Error> {
        Ok(self.ledger_file.sync(&self.ledger)?)
    }

    /// A warning, for the log and for people.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn warn(&mut self, stage: &str, message: &str) -> Result<(), Error> {
        self.events.warn(Some(stage), message)?;
        self.progress.say(&format!("warning: {message}"));
        Ok(())
    }
}
