use crate::{Answers, Asked, AskedImage, LabelError, Row, Sample, verdict::last_answers};
use hybridrepair_core::{ClassId, Entry, PoolIdx, Reply, SampleId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Spellings of "cannot tell", in lower case without blanks and hyphens; a class of that name comes first.
const CANNOT_TELL: [&str; 4] = ["?", "cannottell", "can'ttell", "canttell"];

/// How "cannot tell" is written into exports.
pub const CANNOT_TELL_NAME: &str = "cannot tell";

/// The name of an annotator whom a file does not name.
const ANONYMOUS: &str = "anonymous";

/// What a file of answers brings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Answers that the ledger does not have, in the order of the file.
    pub replies: Vec<Reply>,
    /// Those among them that replace an earlier answer of the same annotator.
    pub corrections: usize,
    /// Those among them that say "cannot tell".
    pub cannot_tell: usize,
    /// Answers that the ledger has already.
    pub repeated: usize,
    /// Rows without an answer.
    pub unanswered: usize,
    /// Answers that their tool marks as cancelled.
    pub cancelled: usize,
    /// Pictures that nobody asked about: how many answers, and the first of them in words.
    pub not_asked: (usize, Option<String>),
}

/// Compares a file of answers with what was asked and what is known. Nothing is written.
///
/// An annotator has one answer per picture: another one later is a correction. Where a file names no annotator,
/// `annotator` (or "anonymous") is meant, and different answers on one picture count as those of different people. `what`
/// names the file in the ledger; the same file taken twice brings nothing new.
///
/// # Errors
/// When answers name no class: then nothing of the file is taken.
pub fn take(
    path: &Path,
    what: &str,
    answers: &Answers,
    annotator: Option<&str>,
    asked: &Asked,
    entries: &[Entry],
) -> Result<Taken, LabelError> {
    let index = Index::of(asked);
    let mut taken = Taken { cancelled: answers.cancelled, ..Taken::default() };
    let mut bad = Vec::new();
    let mut last: BTreeMap<(PoolIdx, String), Option<ClassId>> = BTreeMap::new();
    for (idx, answers) in last_answers(entries) {
        last.extend(answers.into_iter().map(|(by, class)| ((idx, by.to_owned()), class)));
    }
    let mut seen: BTreeSet<(PoolIdx, String, Option<ClassId>)> =
        entries.iter().filter(|e| e.what == what).filter_map(|e| Some((e.idx?, e.by.clone(), e.class))).collect();
    // different anonymous answers of this file on one picture
    let mut nameless: BTreeMap<PoolIdx, Vec<Option<ClassId>>> = BTreeMap::new();
    for row in &answers.rows {
        let Some(label) = &row.label else {
            taken.unanswered += 1;
            continue;
        };
        let Some(image) = index.find(&row.sample) else {
            taken.not_asked.0 += 1;
            taken.not_asked.1.get_or_insert_with(|| row.sample.to_string());
            continue;
        };
        let class = match index.said(label) {
            Some(Said::Class(class)) => Some(class),
            Some(Said::CannotTell) => None,
            None => {
                bad.push((row, label));
                continue;
            }
        };
        let by = row.annotator.clone().unwrap_or_else(|| {
            let said = nameless.entry(image.idx).or_default();
            let place = said.iter().position(|c| *c == class).unwrap_or_else(|| {
                said.push(class);
                said.len() - 1
            });
            let name = annotator.unwrap_or(ANONYMOUS);
            if place == 0 { name.to_owned() } else { format!("{name} {}", place + 1) }
        });
        let before = last.get(&(image.idx, by.clone())).copied();
        if before == Some(class) || !seen.insert((image.idx, by.clone(), class)) {
            taken.repeated += 1;
            continue;
        }
        taken.corrections += usize::from(before.is_some());
        taken.cannot_tell += usize::from(class.is_none());
        last.insert((image.idx, by.clone()), class);
        let free = before.is_some_and(|said| is_paid(said, asked)) || !is_paid(class, asked);
        taken.replies.push(Reply {
            idx: image.idx,
            class,
            purpose: image.purpose,
            what: what.to_owned(),
            by,
            seconds: row.seconds,
            cost: if free { 0.0 } else { row.cost.unwrap_or(1.0) },
            answered: row.answered.clone(),
        });
    }
    match bad.first() {
        None => Ok(taken),
        Some((row, label)) => Err(unknown(path, row, label, bad.len(), asked)),
    }
}

/// Whether an answer costs something by itself: "cannot tell" only where it counts. What an annotator was paid for once is not
/// paid again.
pub(crate) fn is_paid(said: Option<ClassId>, asked: &Asked) -> bool {
    said.is_some() || asked.cannot_tell_costs
}

fn unknown(path: &Path, row: &Row, label: &str, count: usize, asked: &Asked) -> LabelError {
    let mut known = asked.classes.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
    if asked.classes.len() > 12 {
        known.push_str(", ...");
    }
    let first = format!("line or task {}: {label:?} for {}", row.line, row.sample);
    LabelError::Classes { path: path.to_owned(), count, first, known }
}

/// What a label says.
enum Said {
    Class(ClassId),
    CannotTell,
}

/// What was asked, by all the names that an answer may use.
struct Index<'a> {
    ids: BTreeMap<SampleId, &'a AskedImage>,
    images: &'a [AskedImage],
    names: BTreeMap<&'a str, usize>,
    lower: BTreeMap<String, Option<usize>>,
    classes: usize,
}

impl<'a> Index<'a> {
    fn of(asked: &'a Asked) -> Self {
        let ids = asked.images.iter().map(|image| (image.id, image)).collect();
        let names = asked.classes.iter().enumerate().rev().map(|(i, name)| (name.as_str(), i)).collect();
        let mut lower = BTreeMap::new();
        for (i, name) in asked.classes.iter().enumerate() {
            // two classes that differ in capitals only must be written exactly
            lower.entry(name.trim().to_lowercase()).and_modify(|class| *class = None).or_insert(Some(i));
        }
        Self { ids, images: &asked.images, names, lower, classes: asked.classes.len() }
    }

    /// The picture, if it was asked about.
    fn find(&self, sample: &Sample) -> Option<&'a AskedImage> {
        match sample {
            Sample::Id(id) => self.ids.get(id).copied(),
            Sample::File(name) => {
                let ends = |image: &&AskedImage| Path::new(&image.file).ends_with(Path::new(name));
                let mut found = self.images.iter().filter(ends);
                let first = found.next()?;
                // the end of several paths is the name of none
                if found.next().is_some() && first.file != *name { None } else { Some(first) }
            }
        }
    }

    /// `None` for what is no class. Names come before numbers, so that a class may be called `30`.
    fn said(&self, label: &str) -> Option<Said> {
        if let Some(&class) = self.names.get(label) {
            return Some(Said::Class(ClassId::from(class)));
        }
        let plain: String = label.to_lowercase().chars().filter(|c| !c.is_whitespace() && !"-_".contains(*c)).collect();
        if CANNOT_TELL.contains(&plain.as_str()) {
            return Some(Said::CannotTell);
        }
        if let Some(&Some(class)) = self.lower.get(&label.trim().to_lowercase()) {
            return Some(Said::Class(ClassId::from(class)));
        }
        let number = label.parse::<usize>().ok().filter(|&n| n < self.classes && n.to_string() == label);
        number.map(|n| Said::Class(ClassId::from(n)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Source, Verdict, verdicts};
    use hybridrepair_core::{Ledger, Purpose};

    pub(crate) fn asked() -> Asked {
        let image = |i: u32| AskedImage {
            id: SampleId(u64::from(i) + 100),
            idx: PoolIdx(i),
            rank: i as usize,
            purpose: if i == 3 { Purpose::Judge } else { Purpose::Annotate },
            region: None,
            reason: "unsure".into(),
            file: format!("/data/field/cam{}/{i}.png", i % 2),
            predicted: 0,
            confidence: 0.5,
        };
        let classes = ["30", "Stop", "yield", "YIELD"].map(str::to_owned).to_vec();
        Asked { format_version: 1, classes, answers: 1, cannot_tell_costs: true, images: (0..4).map(image).collect() }
    }

    fn row(sample: Sample, label: &str, by: Option<&str>) -> Row {
        let label = (!label.is_empty()).then(|| label.to_owned());
        Row { sample, label, annotator: by.map(str::to_owned), ..Row::unanswered(SampleId(0)) }
    }

    fn id(i: u64) -> Sample {
        Sample::Id(SampleId(i))
    }

    fn read(rows: Vec<Row>, what: &str, ledger: &mut Ledger) -> Result<Taken, LabelError> {
        let answers = Answers { source: Source::Table, rows, cancelled: 0 };
        let taken = take(Path::new("a.csv"), what, &answers, None, &asked(), ledger.entries())?;
        taken.replies.iter().for_each(|r| ledger.record(r.clone()));
        Ok(taken)
    }

    #[test]
    fn pieces_repetitions_corrections_and_contradictions() {
        let mut ledger = Ledger::new(4);
        let first = vec![row(id(102), "yield", None), row(id(100), "", None), row(id(999), "stop", None)];
        let taken = read(first.clone(), "one", &mut ledger).unwrap();
        assert_eq!((taken.replies.len(), taken.unanswered, taken.not_asked.0), (1, 1, 1));
        assert_eq!(taken.not_asked.1.as_deref(), Some("sample 999"));
        // the same file again, and the same answer in another
        assert_eq!(read(first.clone(), "one", &mut ledger).unwrap().repeated, 1);
        assert_eq!(read(first.clone(), "two", &mut ledger).unwrap().repeated, 1);
        // a later file says otherwise: a correction, and the earlier file does not undo it
        let taken = read(vec![row(id(102), "stop", None)], "three", &mut ledger).unwrap();
        assert_eq!((taken.corrections, taken.replies[0].cost), (1, 0.0));
        assert_eq!(read(first, "one", &mut ledger).unwrap().replies, []);
        let label = |class| Verdict::Label { class: ClassId(class), votes: 1, of: 1 };
        assert_eq!(verdicts(ledger.entries())[&PoolIdx(2)], label(1));
        // one file contradicts itself without names: two people
        let both = vec![row(id(101), "yield", None), row(id(101), "YIELD", None), row(id(101), "yield", None)];
        read(both, "four", &mut ledger).unwrap();
        assert!(matches!(verdicts(ledger.entries())[&PoolIdx(1)], Verdict::Tie { .. }));
        let third = vec![row(id(101), "yield", Some("ann")), row(id(103), "?", Some("ann"))];
        let taken = read(third, "five", &mut ledger).unwrap();
        assert_eq!((taken.cannot_tell, taken.replies[1].purpose), (1, Purpose::Judge));
        assert_eq!(verdicts(ledger.entries())[&PoolIdx(1)], Verdict::Label { class: ClassId(2), votes: 2, of: 3 });
    }

    #[test]
    fn classes_by_name_number_and_capitals_and_files_by_their_end() {
        let mut ledger = Ledger::new(4);
        let rows = vec![
            row(id(100), "30", None),
            row(id(101), " stop", None),
            row(Sample::File("field/cam0/2.png".into()), "2", None),
            row(Sample::File("3.png".into()), "Cannot-Tell", None),
        ];
        let taken = read(rows, "a", &mut ledger).unwrap();
        let classes: Vec<_> = taken.replies.iter().map(|r| r.class.map(|c| c.0)).collect();
        assert_eq!(classes, [Some(0), Some(1), Some(2), None]);
        // capitals alone do not decide between two classes; nothing of such a file is taken
        for bad in ["Yield", "4", "-1", "+1", "junk"] {
            let rows = vec![row(id(100), "stop", Some("bob")), row(id(101), bad, Some("bob"))];
            let error = read(rows, "b", &mut ledger).unwrap_err().to_string();
            assert!(error.contains("1 answers name no class") && error.contains(bad), "{error}");
        }
        assert_eq!(ledger.entries().len(), 4);
    }

    #[test]
    fn cannot_tell_is_refunded_where_that_was_agreed() {
        let answers = Answers { source: Source::Table, rows: vec![row(id(100), "?", None)], cancelled: 2 };
        let asked = Asked { cannot_tell_costs: false, ..asked() };
        let taken = take(Path::new("a.csv"), "a", &answers, Some("zoe"), &asked, &[]).unwrap();
        assert_eq!((taken.replies[0].cost, taken.replies[0].by.as_str(), taken.cancelled), (0.0, "zoe", 2));
    }
}
