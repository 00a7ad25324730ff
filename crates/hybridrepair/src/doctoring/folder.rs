//! What a treatment leaves in its run directory.

use crate::{Error, Progress};
use hybridrepair_doctor::{Attempt, DoctorError, Facts, Finding, Journal, Plan, Reading, ReadingLine, Trial};
use hybridrepair_doctor_torch::{Moment, Sink, Snapshot};
use hybridrepair_runs::{Event, EventLog, JsonLines, Layout, RunsError, read_lines};
use hybridrepair_torch::{Kind, load_tensors, save_tensors};
use hybridrepair_train::load_state;
use serde::{Deserialize, Serialize};
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
};

/// Name of the first training.
pub(super) const BEFORE: &str = "before";

/// A line of `attempts.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum JournalLine {
    /// The first training, complete.
    Before {
        /// In numbers.
        trial: Trial,
        /// All its problems.
        findings: Vec<Finding>,
    },
    /// A changed plan.
    Attempt(Box<Attempt>),
}

/// Readings, weights and events of a run.
pub(super) struct Folder<'a> {
    layout: Layout,
    lines: Option<JsonLines>,
    events: Rc<RefCell<EventLog>>,
    progress: &'a mut dyn Progress,
    epochs: usize,
    /// The first failure to write.
    pub(super) failed: Option<Error>,
}

impl<'a> Folder<'a> {
    pub(super) fn new(layout: Layout, events: Rc<RefCell<EventLog>>, progress: &'a mut dyn Progress) -> Self {
        Self { layout, lines: None, events, progress, epochs: 0, failed: None }
    }

    /// Keeps the first failure: a sink has no way to return it.
    fn tried<T>(&mut self, result: Result<T, impl Into<Error>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.failed.get_or_insert(error.into());
                None
            }
        }
    }

    fn readings_file(&self, name: &str) -> PathBuf {
        if name == BEFORE {
            self.layout.readings()
        } else {
            self.layout.attempt_readings().join(format!("{name}.jsonl"))
        }
    }

    fn weights_file(&self, name: &str, moment: Moment) -> PathBuf {
        let moment = if moment == Moment::Best { "best" } else { "last" };
        self.layout.checkpoint(&format!("{name}-{moment}"))
    }
}

/// Readings of the epochs that the saved state has finished, and a file that begins with them.
pub(crate) fn open_readings(
    file: &Path,
    state: Option<PathBuf>,
    facts: &Facts,
) -> Result<(JsonLines, Vec<Reading>), Error> {
    let done = match state.filter(|f| f.exists()) {
        Some(state) => load_state(&state)?.epochs.len(),
        None => 0,
    };
    let mut before = Vec::new();
    if done > 0 && file.exists() {
        for line in read_lines::<ReadingLine>(file)?.rows {
            if let ReadingLine::Reading(reading) = line
                && reading.epoch < done
            {
                before.push(reading);
            }
        }
    }
    let io = |source| RunsError::Io { doing: "write", path: file.to_owned(), source };
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(io)?;
    }
    if file.exists() {
        std::fs::remove_file(file).map_err(io)?;
    }
    let mut lines = JsonLines::open(file)?;
    lines.append(&ReadingLine::Facts(facts.clone()))?;
    for reading in &before {
        lines.append(&ReadingLine::Reading(reading.clone()))?;
    }
    Ok((lines, before))
}

impl Sink for Folder<'_> {
    fn begin(&mut self, name: &str, facts: &Facts) -> Vec<Reading> {
        self.epochs = facts.epochs;
        self.progress.begin(name, Some(facts.epochs as u64));
        let opened = open_readings(&self.readings_file(name), self.state_file(name), facts);
        let Some((lines, before)) = self.tried(opened) else { return Vec::new() };
        self.lines = Some(lines);
        before
    }

    fn reading(&mut self, _: &str, reading: &Reading) {
        let note = format!("loss {:.4}  val {:.1} %", reading.train.loss, 100.0 * reading.val.acc);
        self.progress.advance(reading.epoch as u64 + 1, Some(self.epochs as u64), &note);
        let written = self.lines.as_mut().map_or(Ok(()), |l| l.append(&ReadingLine::Reading(reading.clone())));
        self.tried(written);
    }

    fn finding(&mut self, name: &str, finding: &Finding) {
        let event = problem_event(name, finding);
        let written = self.events.borrow_mut().record(event);
        self.tried(written);
        let Finding { problem, epoch, evidence, .. } = finding;
        self.progress.say(&format!("{name}: {problem} after epoch {}: {evidence}", epoch + 1));
    }

    fn keep(&mut self, name: &str, moment: Moment, weights: Snapshot) {
        let file = self.weights_file(name, moment);
        let written = save_tensors(&file, &weights, Kind::Float, None);
        self.tried(written);
        if moment == Moment::Last {
            self.progress.end(false);
        }
    }

    fn load(&self, name: &str, moment: Moment) -> Option<Snapshot> {
        load_tensors(&self.weights_file(name, moment)).ok()
    }

    fn state_file(&self, name: &str) -> Option<PathBuf> {
        Some(self.layout.checkpoint(&format!("{name}-state")))
    }
}

/// A problem as an event; epochs in files count from 1.
pub(crate) fn problem_event(training: &str, finding: &Finding) -> Event {
    Event::Problem {
        training: training.to_owned(),
        name: finding.problem.name().to_owned(),
        epoch: finding.epoch + 1,
        since: finding.since + 1,
        evidence: finding.evidence.clone(),
    }
}

/// `attempts.jsonl`, and the events beside it.
pub(super) struct Attempts {
    known: Vec<JournalLine>,
    lines: JsonLines,
    events: Rc<RefCell<EventLog>>,
}

impl Attempts {
    /// What was trained before, to go on with.
    pub(super) fn open(layout: &Layout, events: Rc<RefCell<EventLog>>) -> Result<Self, Error> {
        let file = layout.attempts();
        let known = if file.exists() { read_lines(&file)?.rows } else { Vec::new() };
        Ok(Self { known, lines: JsonLines::open(&file)?, events })
    }

    /// The first training, where it was complete.
    pub(super) fn before(&self) -> Option<(Trial, Vec<Finding>)> {
        self.known.iter().find_map(|line| match line {
            JournalLine::Before { trial, findings } => Some((trial.clone(), findings.clone())),
            JournalLine::Attempt(_) => None,
        })
    }

    /// Keeps the first training.
    pub(super) fn record_before(&mut self, trial: &Trial, findings: &[Finding]) -> Result<(), Error> {
        let line = JournalLine::Before { trial: trial.clone(), findings: findings.to_vec() };
        Ok(self.lines.append(&line)?)
    }
}

impl Journal for Attempts {
    fn find(&self, name: &str, plan: &Plan) -> Option<Trial> {
        self.known.iter().find_map(|line| match line {
            JournalLine::Attempt(a) if a.trial.name == name && a.plan == *plan => Some(a.trial.clone()),
            _ => None,
        })
    }

    fn record(&mut self, attempt: &Attempt) -> Result<(), DoctorError> {
        let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let event = Event::Attempt {
            round: attempt.round,
            problem: attempt.problem.name().to_owned(),
            remedy: attempt.remedy.clone(),
            attempt: attempt.attempt,
            change: attempt.change.clone(),
            weights: word(serde_json::json!(attempt.weights)),
            val_acc: Some(attempt.trial.best_acc).filter(|a| a.is_finite()),
            verdict: word(serde_json::json!(attempt.verdict)),
            seconds: attempt.trial.seconds,
        };
        let line = JournalLine::Attempt(Box::new(attempt.clone()));
        let written = self.lines.append(&line).and_then(|()| self.events.borrow_mut().record(event));
        written.map_err(|e| DoctorError::Trainer(e.to_string()))
    }
}
