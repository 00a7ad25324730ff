use crate::{JsonLines, RunsError, now, read_lines};
use hybridrepair_core::{ClassId, Entry, Ledger, PoolIdx, Purpose};
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
    /// The class, when one label was bought.
    pub class: Option<ClassId>,
    /// What it cost, in labels.
    pub cost: f64,
}

/// The ledger on disk: it only grows.
#[derive(Debug)]
pub struct LedgerFile {
    lines: JsonLines,
    written: usize,
}

impl LedgerFile {
    /// Opens the file, and gives the ledger with the labels that earlier processes bought, so that a run that is
    /// resumed cannot spend its budget twice. Readings that bought nothing stay in the file and are not in the ledger.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds more bought labels than the budget.
    pub fn open(path: &Path, budget: usize) -> Result<(Self, Ledger), RunsError> {
        let lines = JsonLines::open(path)?;
        let mut ledger = Ledger::new(budget);
        for line in read_lines::<LedgerLine>(path)?.rows {
            if let (Purpose::Annotate, Some(idx), Some(class)) = (line.purpose, line.idx, line.class) {
                ledger.note_bought(&line.what, idx, class, &line.by)?;
            }
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
            let Entry { what, purpose, by, count, idx, class, cost } = entry.clone();
            self.lines.append(&LedgerLine { v: 1, time: time.clone(), what, purpose, by, count, idx, class, cost })?;
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
        assert!(matches!(LedgerFile::open(&path, 2), Err(RunsError::Core(_))));
    }
}
