//! The board and the ledger together: what is answered is on the disk before anybody hears of it.

use hybridrepair_core::{ClassId, Ledger, Reply, SampleId};
use hybridrepair_label::{Board, NotTaken, Seat};
use hybridrepair_runs::{LedgerFile, RunsError};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Everything that changes while people label.
pub(crate) struct Desk {
    pub(crate) board: Board,
    ledger: Ledger,
    file: LedgerFile,
    /// Why nothing is taken any more.
    broken: Option<String>,
    /// Per annotator: seconds, and answers that say how long they took.
    pace: BTreeMap<String, (f64, usize)>,
    began: Instant,
}

/// Why an answer is not in the ledger.
pub(crate) enum Failed {
    /// It is not wanted.
    NotTaken(NotTaken),
    /// The disk does not take it.
    Disk(String),
}

impl Desk {
    pub(crate) fn new(board: Board, ledger: Ledger, file: LedgerFile) -> Self {
        let mut pace: BTreeMap<String, (f64, usize)> = BTreeMap::new();
        for entry in ledger.entries().iter().filter(|e| e.is_answer()) {
            count(&mut pace, &entry.by, entry.seconds);
        }
        Self { board, ledger, file, broken: None, pace, began: Instant::now() }
    }

    /// The time of now, as the board counts it.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Mean seconds per answer of an annotator.
    pub(crate) fn pace(&self, annotator: &str) -> Option<f64> {
        self.pace.get(annotator).filter(|(_, n)| *n > 0).map(|(seconds, n)| seconds / *n as f64)
    }

    /// Takes an answer, with `region` also for all open pictures of the region, and waits until it is on the disk. Gives the
    /// number of new answers.
    pub(crate) fn answer(
        &mut self,
        seat: &Seat,
        id: SampleId,
        class: Option<ClassId>,
        seconds: Option<f64>,
        region: bool,
    ) -> Result<usize, Failed> {
        if let Some(why) = &self.broken {
            return Err(Failed::Disk(why.clone()));
        }
        let now = self.now();
        let rest = if region { self.board.rest_of_region(seat, id, now) } else { Vec::new() };
        let first = self.board.answer(seat, id, class, seconds, now).map_err(Failed::NotTaken)?;
        let mut replies: Vec<Reply> = first.into_iter().collect();
        for other in rest {
            // one look for all of them: these took no time of their own
            if let Ok(Some(reply)) = self.board.answer(seat, other, class, seconds.map(|_| 0.0), now) {
                replies.push(reply);
            }
        }
        let taken = replies.len();
        for reply in replies {
            count(&mut self.pace, &reply.by, reply.seconds);
            self.ledger.record(reply);
        }
        self.write().map_err(|error| {
            // a line may be half written: only a new start mends the file
            let why = format!("{error}; start `label serve` again when that is mended");
            self.broken = Some(why.clone());
            Failed::Disk(why)
        })?;
        Ok(taken)
    }

    fn write(&mut self) -> Result<(), RunsError> {
        self.file.sync(&self.ledger)
    }
}

fn count(pace: &mut BTreeMap<String, (f64, usize)>, by: &str, seconds: Option<f64>) {
    if let Some(seconds) = seconds {
        let slot = pace.entry(by.to_owned()).or_default();
        *slot = (slot.0 + seconds, slot.1 + 1);
    }
}
