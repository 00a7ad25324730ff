use crate::{JsonLines, RunsError, now, read_lines};
use hybridrepair_core::{ClassId, Entry, Ledger, PoolIdx, Purpose, Reply};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One line of `ledger.jsonl`: one reading of sealed labels, or one label that a person gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Version of the line's format: 1.
    pub v: u32,
    /// When, in UTC.
    pub time: String,
    /// What was sealed, or where the label came from.
    pub what: String,
    /// Why it was read.
    pub purpose: Purpose,
    /// Who asked.
    pub by: String,
    /// How many labels were read.
    pub count: usize,
    /// The row of the pool, when one label was read.
    pub idx: Option<PoolIdx>,
    /// The class that was said, when one label was bought; none for "cannot tell".
    pub class: Option<ClassId>,
    /// What it cost, in labels.
    pub cost: f64,
    /// How long the answer took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// When it was given, where its source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
}

impl LedgerLine {
    fn of(entry: Entry, time: String) -> Self {
        let Entry { what, purpose, by, count, idx, class, cost, seconds, answered } = entry;
        Self { v: 1, time, what, purpose, by, count, idx, class, cost, seconds, answered }
    }

    /// The reading that the line tells of.
    pub fn entry(self) -> Entry {
        let Self { what, purpose, by, count, idx, class, cost, seconds, answered, .. } = self;
        Entry { what, purpose, by, count, idx, class, cost, seconds, answered }
    }

    /// The answer that the line holds, if it holds one.
    fn reply(self) -> Option<Reply> {
        let Self { what, purpose, by, idx, class, cost, seconds, answered, .. } = self;
        let answer = matches!(purpose, Purpose::Annotate | Purpose::Judge);
        idx.filter(|_| answer).map(|idx| Reply { idx, class, purpose, what, by, seconds, cost, answered })
    }
}

/// The ledger on disk: it only grows.
#[derive(Debug)]
pub struct LedgerFile {
    lines: JsonLines,
    written: usize,
}

impl LedgerFile {
    /// Opens the file, and gives the ledger with the answers that earlier processes noted, so that a run that is
    /// resumed cannot spend its budget twice. Readings that bought nothing stay in the file and are not in the ledger.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(path: &Path, budget: usize) -> Result<(Self, Ledger), RunsError> {
        let lines = JsonLines::open(path)?;
        let mut ledger = Ledger::new(budget);
        for reply in read_lines::<LedgerLine>(path)?.rows.into_iter().filter_map(LedgerLine::reply) {
            ledger.record(reply);
        }
        let written = ledger.entries().len();
        Ok((Self { lines, written }, ledger))
    }

    /// Writes the entries that are new since the last call, and waits until they are on the disk.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn sync(&mut self, ledger: &Ledger) -> Result<(), RunsError> {
        let time = now();
        for entry in ledger.entries().iter().skip(self.written) {
            self.lines.append(&LedgerLine::of(entry.clone(), time.clone()))?;
            self.written += 1;
        }
        self.lines.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::SealedLabels;

    #[test]
    fn a_resumed_run_cannot_spend_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let sealed = SealedLabels::seal("field pool", vec![ClassId(3); 10]);
        let (mut file, mut ledger) = LedgerFile::open(&path, 3).unwrap();
        ledger.buy(&sealed, PoolIdx(4), "annotate").unwrap();
        ledger.buy(&sealed, PoolIdx(5), "annotate").unwrap();
        ledger.reveal(&sealed, Purpose::Diagnose, "propagate");
        file.sync(&ledger).unwrap();
        file.sync(&ledger).unwrap();
        drop(file);

        let (mut file, mut ledger) = LedgerFile::open(&path, 3).unwrap();
        assert_eq!(ledger.bought(), 2);
        ledger.buy(&sealed, PoolIdx(6), "annotate").unwrap();
        assert!(ledger.buy(&sealed, PoolIdx(7), "annotate").is_err());
        file.sync(&ledger).unwrap();
        let rows = read_lines::<LedgerLine>(&path).unwrap().rows;
        assert_eq!(rows.iter().map(|r| r.idx.map(|i| i.0)).collect::<Vec<_>>(), [Some(4), Some(5), None, Some(6)]);

        // answers of people come back whole, also those above the budget
        let reply = Reply {
            idx: PoolIdx(4),
            class: None,
            purpose: Purpose::Judge,
            what: "labels.csv".into(),
            by: "Zoë".into(),
            seconds: Some(2.25),
            cost: 0.5,
            answered: Some("2026-11-20T10:00:00Z".into()),
        };
        ledger.record(reply);
        file.sync(&ledger).unwrap();
        let (_, again) = LedgerFile::open(&path, 3).unwrap();
        assert_eq!(again.bought(), 4);
        assert_eq!(again.entries().last(), ledger.entries().last());
    }
}
