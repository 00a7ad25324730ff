use crate::{JsonLines, RunsError, now};
use serde::{Deserialize, Serialize};
use std::{path::Path, time::Instant};

/// What happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A process began to work on the run.
    RunStart {
        /// Release of hybridrepair.
        version: String,
    },
    /// It ended.
    RunEnd {
        /// Its exit code.
        exit: i32,
    },
    /// A stage began.
    StageStart {
        /// Its name.
        stage: String,
    },
    /// A stage is complete.
    StageEnd {
        /// Its name.
        stage: String,
        /// How long it took.
        seconds: f64,
        /// Whether its result was there already.
        cached: bool,
    },
    /// A training problem was recognised.
    Problem {
        /// The training: `before`, or the name of an attempt.
        training: String,
        /// The problem.
        name: String,
        /// The epoch of the report, from 1.
        epoch: usize,
        /// The first epoch of the stretch that showed it, from 1.
        since: usize,
        /// What was seen, in words.
        evidence: String,
    },
    /// A changed plan was trained.
    Attempt {
        /// Round of the search, from 1.
        round: usize,
        /// The problem that is treated.
        problem: String,
        /// The remedy.
        remedy: String,
        /// Which of its attempts, from 0.
        attempt: usize,
        /// What it changed, in words.
        change: String,
        /// `fresh` or `warm`.
        weights: String,
        /// Best validation accuracy.
        val_acc: Option<f64>,
        /// `solved`, `quiet-but-poor`, `changed`, `failed` or `looked`.
        verdict: String,
        /// How long it took.
        seconds: f64,
    },
    /// Something that people should know.
    Warning {
        /// The stage, when there is one.
        stage: Option<String>,
        /// In words.
        message: String,
    },
}

/// One line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// Version of the line's format: 1.
    pub v: u32,
    /// When, in UTC (ISO 8601).
    pub time: String,
    /// What.
    pub event: Event,
}

/// The writer of `events.jsonl`.
#[derive(Debug)]
pub struct EventLog {
    lines: JsonLines,
}

impl EventLog {
    /// Goes on with the file, or begins it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        Ok(Self { lines: JsonLines::open(path)? })
    }

    /// Writes one event with the time of now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record(&mut self, event: Event) -> Result<(), RunsError> {
        self.lines.append(&EventLine { v: 1, time: now(), event })
    }

    /// Writes that a stage began.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn stage_start(&mut self, stage: &str) -> Result<StageClock, RunsError> {
        self.record(Event::StageStart { stage: stage.to_owned() })?;
        Ok(StageClock { stage: stage.to_owned(), began: Instant::now() })
    }

    /// Writes that a stage is complete, and says how many seconds it took.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn stage_end(&mut self, clock: StageClock, cached: bool) -> Result<f64, RunsError> {
        let seconds = clock.began.elapsed().as_secs_f64();
        self.record(Event::StageEnd { stage: clock.stage, seconds, cached })?;
        self.lines.sync()?;
        Ok(seconds)
    }

    /// Writes a warning.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn warn(&mut self, stage: Option<&str>, message: impl Into<String>) -> Result<(), RunsError> {
        self.record(Event::Warning { stage: stage.map(str::to_owned), message: message.into() })
    }
}

/// A stage that has begun.
#[derive(Debug)]
#[must_use = "a stage that began must be ended with `EventLog::stage_end`"]
pub struct StageClock {
    stage: String,
    began: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_lines;

    #[test]
    fn stages_and_warnings_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        let mut log = EventLog::open(&path).unwrap();
        let clock = log.stage_start("embed").unwrap();
        log.warn(Some("embed"), "slow disk").unwrap();
        assert!(log.stage_end(clock, false).unwrap() >= 0.0);
        drop(log);
        EventLog::open(&path).unwrap().record(Event::RunEnd { exit: 3 }).unwrap();
        let rows = read_lines::<EventLine>(&path).unwrap().rows;
        assert_eq!(rows.len(), 4);
        assert!(rows[0].time.ends_with('Z'));
        assert_eq!(rows[3].event, Event::RunEnd { exit: 3 });
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(r#""event":{"kind":"stage-start","stage":"embed"}"#), "{text}");
    }
}
