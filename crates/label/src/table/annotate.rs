use super::file::{Format, Row, read_table, write_table};
use crate::{Annotator, Answer, LabelError};
use hybridrepair_core::{ClassId, LabelSet, Ledger, SampleId, Selection};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// People who answer in a CSV or JSONL file.
///
/// The file is written with the ids that are asked for when it does not exist; an existing one is only read. Rows may
/// stand in any order; rows of samples that were not asked for are left alone; a sample may stand twice with the same
/// answer, not with two. Until all picks are answered the answer is [`Answer::Waiting`].
///
/// ```
/// use hybridrepair_core::{ClassId, Ledger, Pick, PoolIdx, SampleId, Selection};
/// use hybridrepair_label::{Annotator, Answer, Table};
/// let dir = tempfile::tempdir()?;
/// let file = dir.path().join("labels.csv");
/// let pick = Pick { id: SampleId(41), idx: PoolIdx(0), rank: 0, score: 0.0, region: None, reason: String::new() };
/// let (ask, mut ledger) = (Selection { picks: vec![pick] }, Ledger::new(1));
/// let mut table = Table::new(&file, vec!["stop".to_owned(), "yield".to_owned()])?;
/// assert!(matches!(table.annotate(&ask, &mut ledger)?, Answer::Waiting { missing: 1, .. }));
/// std::fs::write(&file, "id,label\n41,yield\n")?;
/// assert_eq!(table.annotate(&ask, &mut ledger)?.labels().get(PoolIdx(0)).map(|l| l.class), Some(ClassId(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    classes: Vec<String>,
    known: LabelSet,
}

impl Table {
    /// Answers in this file, as class numbers or as names out of `classes`.
    ///
    /// # Errors
    /// When the file name ends neither in `.csv` nor in `.jsonl`.
    pub fn new(path: impl Into<PathBuf>, classes: Vec<String>) -> Result<Self, LabelError> {
        let path = path.into();
        Format::of(&path)?;
        Ok(Self { path, classes, known: LabelSet::new() })
    }

    /// Goes on from labels that were noted before: they are given again and not noted again.
    #[must_use]
    pub fn resumed(mut self, known: LabelSet) -> Self {
        self.known = known;
        self
    }

    /// The class of a row: by name first, so that a class may be called `30`.
    fn class(&self, row: &Row, label: &str) -> Result<ClassId, LabelError> {
        if let Some(class) = self.classes.iter().position(|name| name == label) {
            return Ok(ClassId::from(class));
        }
        match label.parse::<usize>() {
            Ok(class) if class < self.classes.len() => Ok(ClassId::from(class)),
            _ => {
                let last = self.classes.len().saturating_sub(1);
                Err(self.at(row, format!("label {label:?} is no class name and no number from 0 to {last}")))
            }
        }
    }

    fn at(&self, row: &Row, why: String) -> LabelError {
        LabelError::Line { path: self.path.clone(), line: row.line, why }
    }

    /// The answers in the file, each with its class.
    fn answers(&self) -> Result<BTreeMap<SampleId, (ClassId, Row)>, LabelError> {
        let mut answers: BTreeMap<SampleId, (ClassId, Row)> = BTreeMap::new();
        for row in read_table(&self.path)? {
            let Some(label) = &row.label else { continue };
            let class = self.class(&row, label)?;
            match answers.get(&row.id) {
                Some((before, first)) if *before != class => {
                    let why = format!(
                        "sample {} is {label:?} here and {:?} on line {}",
                        row.id,
                        first.label.as_deref().unwrap_or_default(),
                        first.line
                    );
                    return Err(self.at(&row, why));
                }
                Some(_) => {}
                None => {
                    answers.insert(row.id, (class, row));
                }
            }
        }
        Ok(answers)
    }
}

impl Annotator for Table {
    fn annotate(&mut self, ask: &Selection, ledger: &mut Ledger) -> Result<Answer, LabelError> {
        if !self.path.exists() {
            let rows: Vec<Row> = ask.picks.iter().map(|pick| Row::unanswered(pick.id)).collect();
            write_table(&self.path, &rows)?;
        }
        let answers = self.answers()?;
        let what = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut have = LabelSet::new();
        for pick in &ask.picks {
            if !self.known.contains(pick.idx)
                && let Some((class, row)) = answers.get(&pick.id)
            {
                ledger.note_bought(&what, pick.idx, *class, row.annotator.as_deref().unwrap_or("table"))?;
                self.known.insert_bought(pick.idx, *class);
            }
            if let Some(label) = self.known.get(pick.idx) {
                have.insert(*label);
            }
        }
        let missing = ask.picks.iter().filter(|pick| !have.contains(pick.idx)).count();
        Ok(match missing {
            0 => Answer::Complete(have),
            _ => Answer::Waiting { have, missing, task_file: self.path.clone() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::tests::file;
    use super::*;
    use crate::oracle::tests::ask;
    use hybridrepair_core::PoolIdx;

    fn table(path: &std::path::Path) -> Table {
        Table::new(path, ["30", "80", "stop"].map(str::to_owned).to_vec()).unwrap()
    }

    #[test]
    fn answers_arrive_in_pieces_in_any_order_and_are_paid_once() {
        let (_dir, path) = file("a.csv", b"id,label,annotator\n999,junk?,x\n103,,\n");
        let error = table(&path).annotate(&ask(&[1, 3]), &mut Ledger::new(2)).unwrap_err().to_string();
        assert!(error.contains("line 2: label \"junk?\""), "{error}");

        std::fs::write(&path, "id,label,annotator\n999,2,x\n103,stop,ann\n103,2,bob\n101,,\n").unwrap();
        let (mut people, mut ledger) = (table(&path), Ledger::new(2));
        let Answer::Waiting { have, missing, task_file } = people.annotate(&ask(&[1, 3]), &mut ledger).unwrap() else {
            panic!("complete with one of two labels")
        };
        assert_eq!((have.len(), missing, &task_file), (1, 1, &path));
        assert_eq!(have.get(PoolIdx(3)).unwrap().class, ClassId(2));
        assert_eq!(ledger.entries()[0].by, "ann");

        std::fs::write(&path, "id,label\n103,stop\n101,30\n").unwrap();
        let answer = people.annotate(&ask(&[1, 3]), &mut ledger).unwrap();
        assert_eq!(answer.labels().get(PoolIdx(1)).unwrap().class, ClassId(0), "30 is a name before it is a number");
        assert!(matches!(answer, Answer::Complete(_)));
        assert_eq!(ledger.bought(), 2);
    }

    #[test]
    fn two_answers_for_one_sample_are_refused_with_both_lines() {
        let (_dir, path) = file("a.jsonl", b"{\"id\":101,\"label\":1}\n\n{\"id\":101,\"label\":\"stop\"}\n");
        let error = table(&path).annotate(&ask(&[1]), &mut Ledger::new(1)).unwrap_err().to_string();
        assert!(error.contains("line 3: sample 101 is \"stop\" here and \"1\" on line 1"), "{error}");
    }

    #[test]
    fn a_class_outside_and_a_spent_budget_are_refused() {
        let (_dir, path) = file("a.csv", b"id,label\n101,3\n");
        assert!(table(&path).annotate(&ask(&[1]), &mut Ledger::new(1)).is_err());
        let (_dir, path) = file("a.csv", b"id,label\n101,1\n103,1\n");
        assert!(matches!(table(&path).annotate(&ask(&[1, 3]), &mut Ledger::new(1)), Err(LabelError::Core(_))));
    }
}
