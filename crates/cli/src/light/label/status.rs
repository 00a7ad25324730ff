use super::asked;
use crate::{Failure, args::LabelStatusArgs, say};
use hybridrepair_core::{
    ClassId, Entry, Purpose,
    intervals::{Interval, share},
};
use hybridrepair_label::{Asked, AskedImage, Verdict, last_answers, verdicts};
use hybridrepair_runs::{Advice, Layout, LedgerLine, read_lines};
use serde::Serialize;
use std::{path::Path, process::ExitCode};

/// Where the labels of a run stand, and what they say so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Status {
    /// Pictures that are asked about.
    pub(super) asked: usize,
    /// Those with enough answers that come to something.
    pub(super) done: usize,
    /// Answers in the ledger, corrections among them.
    answers: usize,
    /// What they cost, in labels.
    cost: f64,
    /// Seconds of those that say it, and how many do.
    seconds: f64,
    timed: usize,
    /// Pictures that nobody can tell.
    cannot_tell: usize,
    /// Pictures on which the answers are at odds.
    ties: Vec<Dispute>,
    /// Pictures with a majority that somebody contradicts.
    disputed: Vec<Dispute>,
    /// Labels that the model contradicts with great confidence: look at them again.
    suspects: Vec<Suspect>,
    /// Share of the pictures chosen for training that the model had wrong.
    wrong_among_picks: Option<Interval>,
    /// The same among the last third of them in order of purchase: what further labels would find.
    wrong_among_last_picks: Option<Interval>,
    /// Accuracy of the deployed model on the field, by the random share.
    field_accuracy: Option<Interval>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Dispute {
    id: u64,
    file: String,
    said: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Suspect {
    id: u64,
    file: String,
    label: String,
    model_says: String,
    confidence: f32,
}

/// The model's confidence above which a label against it is worth a second look.
const SURE: f32 = 0.99;

/// `label status`
pub(super) fn run(args: &LabelStatusArgs) -> Result<ExitCode, Failure> {
    let asked = asked(&args.run)?;
    let entries = entries(&args.run)?;
    let status = Status::of(&asked, &entries);
    if args.json {
        let advice = Advice::of(&Layout::new(&args.run));
        say!("{:#}", serde_json::json!({ "format_version": 1, "status": status, "advice": advice }));
    } else {
        status.tell(&args.run, &asked);
    }
    Ok(ExitCode::SUCCESS)
}

/// The answers of a run, read without its lock.
pub(super) fn entries(run: &Path) -> Result<Vec<Entry>, Failure> {
    let path = Layout::new(run).ledger();
    if !path.exists() {
        return Ok(Vec::new());
    }
    Ok(read_lines::<LedgerLine>(&path)?.rows.into_iter().map(LedgerLine::entry).collect())
}

/// Whether a picture needs no more answers.
pub(super) fn is_done(asked: &Asked, verdict: Option<&Verdict>) -> bool {
    verdict.is_some_and(|v| v.answers() >= asked.answers && !matches!(v, Verdict::Tie { .. }))
}

impl Status {
    pub(super) fn of(asked: &Asked, entries: &[Entry]) -> Self {
        let (verdicts, last) = (verdicts(entries), last_answers(entries));
        let name = |c: ClassId| asked.classes.get(c.column()).cloned().unwrap_or_else(|| c.0.to_string());
        let judged = asked.images.iter().filter_map(|i| Some((i, verdicts.get(&i.idx)?))).collect::<Vec<_>>();
        let dispute = |wanted: fn(&Verdict) -> bool| {
            let one = |i: &AskedImage| {
                let answers = last.get(&i.idx).into_iter().flatten();
                let said = answers.map(|(by, c)| format!("{by}: {}", c.map_or_else(|| "cannot tell".to_owned(), name)));
                Dispute { id: i.id.0, file: i.file.clone(), said: said.collect() }
            };
            judged.iter().filter(|(_, v)| wanted(v)).map(|(i, _)| one(i)).collect::<Vec<_>>()
        };
        let labelled = |purpose: Purpose| {
            let class = |v: &Verdict| if let Verdict::Label { class, .. } = v { Some(*class) } else { None };
            let of = judged.iter().filter(|(i, _)| i.purpose == purpose);
            of.filter_map(|(i, v)| class(v).map(|c| (*i, c))).collect::<Vec<_>>()
        };
        let (picks, judges) = (labelled(Purpose::Annotate), labelled(Purpose::Judge));
        let wrong = |of: &[(&AskedImage, ClassId)]| of.iter().filter(|(i, c)| i.predicted != c.0).count();
        let share_wrong = |of: &[(&AskedImage, ClassId)]| (!of.is_empty()).then(|| share(wrong(of), of.len()));
        let mut suspects =
            picks.iter().chain(&judges).filter(|(i, c)| i.predicted != c.0 && i.confidence >= SURE).collect::<Vec<_>>();
        suspects.sort_by(|a, b| b.0.confidence.total_cmp(&a.0.confidence).then(a.0.rank.cmp(&b.0.rank)));
        let suspect = |(i, c): &(&AskedImage, ClassId)| Suspect {
            id: i.id.0,
            file: i.file.clone(),
            label: name(*c),
            model_says: name(ClassId(i.predicted)),
            confidence: i.confidence,
        };
        let answers = entries.iter().filter(|e| e.is_answer()).collect::<Vec<_>>();
        Self {
            asked: asked.images.len(),
            done: judged.iter().filter(|(_, v)| is_done(asked, Some(v))).count(),
            answers: answers.len(),
            // an empty sum of floats is -0
            cost: answers.iter().map(|e| e.cost).sum::<f64>() + 0.0,
            seconds: answers.iter().filter_map(|e| e.seconds).sum::<f64>() + 0.0,
            timed: answers.iter().filter(|e| e.seconds.is_some()).count(),
            cannot_tell: judged.iter().filter(|(_, v)| matches!(v, Verdict::CannotTell { .. })).count(),
            ties: dispute(|v| matches!(v, Verdict::Tie { .. })),
            disputed: dispute(|v| matches!(v, Verdict::Label { .. }) && v.is_disputed()),
            suspects: suspects.into_iter().map(suspect).collect(),
            wrong_among_picks: share_wrong(&picks),
            // fewer say nothing
            wrong_among_last_picks: share_wrong(&picks[picks.len() - picks.len() / 3..]).filter(|_| picks.len() >= 9),
            field_accuracy: (!judges.is_empty()).then(|| share(judges.len() - wrong(&judges), judges.len())),
        }
    }

    /// Everything in words.
    pub(super) fn tell(&self, run: &Path, asked: &Asked) {
        let run = run.display();
        say!("{} of {} pictures are done; {} answers cost {} labels", self.done, self.asked, self.answers, self.cost);
        if self.timed > 0 {
            say!(
                "  {:.1} s per answer ({} of them say how long they took)",
                self.seconds / self.timed as f64,
                self.timed
            );
        }
        if self.cannot_tell > 0 {
            say!("  {} pictures that nobody can tell", self.cannot_tell);
        }
        disputes("ties: one more answer on each decides", &self.ties);
        disputes("outvoted answers", &self.disputed);
        if !self.suspects.is_empty() {
            say!("  worth a second look, for the model was very sure of another class:");
            for s in self.suspects.iter().take(SHOWN) {
                let sure = 100.0 * s.confidence;
                say!("    {} {}: labelled {}, the model says {} ({sure:.1} %)", s.id, s.file, s.label, s.model_says);
            }
            more(self.suspects.len());
        }
        if let Some(i) = &self.field_accuracy {
            say!("  the deployed model is right on {} of the field (random share)", percent(i));
        }
        if let Some(i) = &self.wrong_among_picks {
            say!("  it is wrong on {} of the pictures chosen for training", percent(i));
        }
        if let Some(i) = &self.wrong_among_last_picks {
            say!("  and on {} of the last third of them: so many mistakes would further labels find", percent(i));
            if let Some(advice) = self.advice() {
                say!("  {advice}");
            }
        }
        if self.done < self.asked {
            say!("next: hybridrepair label export {run} --open, label, hybridrepair label import {run} FILE");
            say!("or go on with what is there: hybridrepair resume {run} --partial");
        } else {
            say!("next: hybridrepair resume {run}");
        }
        if asked.answers > 1 {
            say!("({} answers by different people are wanted for each picture)", asked.answers);
        }
    }

    /// Whether more labels are worth their price, by what the last ones found.
    fn advice(&self) -> Option<String> {
        let (last, field) = (self.wrong_among_last_picks?, self.field_accuracy);
        let errors = field.map(|f| 1.0 - f.value);
        Some(match errors {
            _ if last.high < 0.1 => {
                "few mistakes are left where the labels go: buying more is hardly worth it".to_owned()
            }
            Some(errors) if last.low > errors => {
                "the labels still go where the model errs more than elsewhere: more of them would help".to_owned()
            }
            Some(_) => "the last labels found no more mistakes than random ones would: another strategy may do better"
                .to_owned(),
            None => return None,
        })
    }
}

/// Lines of a list that are shown.
const SHOWN: usize = 10;

fn more(all: usize) {
    if let Some(more @ 1..) = all.checked_sub(SHOWN) {
        say!("    and {more} more (--json has all)");
    }
}

fn disputes(title: &str, list: &[Dispute]) {
    if list.is_empty() {
        return;
    }
    say!("  {} {title}", list.len());
    for d in list.iter().take(SHOWN) {
        say!("    {} {}: {}", d.id, d.file, d.said.join(", "));
    }
    more(list.len());
}

fn percent(i: &Interval) -> String {
    format!("{:.0} % [{:.0}, {:.0}]", 100.0 * i.value, 100.0 * i.low, 100.0 * i.high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{PoolIdx, SampleId};
    use hybridrepair_label::Asked;

    /// Pictures of which the model says class 0 with this confidence.
    fn asked(purposes: &[Purpose], confidence: impl Fn(usize) -> f32) -> Asked {
        let image = |(rank, &purpose): (usize, &Purpose)| AskedImage {
            id: SampleId(100 + rank as u64),
            idx: PoolIdx::from(rank),
            rank,
            purpose,
            region: None,
            reason: String::new(),
            file: format!("{rank}.png"),
            predicted: 0,
            confidence: confidence(rank),
        };
        Asked {
            format_version: 1,
            classes: vec!["cat".into(), "dog".into()],
            answers: 1,
            cannot_tell_costs: true,
            images: purposes.iter().enumerate().map(image).collect(),
        }
    }

    fn answer(row: usize, purpose: Purpose, class: u32) -> Entry {
        Entry {
            what: "labels.csv".into(),
            purpose,
            by: "ann".into(),
            count: 1,
            idx: Some(PoolIdx::from(row)),
            class: Some(ClassId(class)),
            cost: 1.0,
            seconds: None,
            answered: None,
        }
    }

    /// 12 picks and 8 judges; `dog` says on which rows the label contradicts the model.
    fn status(dog: impl Fn(usize) -> bool, confidence: impl Fn(usize) -> f32) -> Status {
        let purposes = [vec![Purpose::Annotate; 12], vec![Purpose::Judge; 8]].concat();
        let entries =
            purposes.iter().enumerate().map(|(row, &p)| answer(row, p, u32::from(dog(row)))).collect::<Vec<_>>();
        Status::of(&asked(&purposes, confidence), &entries)
    }

    #[test]
    fn the_random_share_alone_tells_field_accuracy() {
        // every pick is a mistake, and two of the eight judges
        let s = status(|row| row < 14, |_| 0.5);
        let field = s.field_accuracy.unwrap();
        assert!((field.value - 0.75).abs() < 1e-12 && field.low < 0.5 && field.high > 0.9, "{field:?}");
        assert!((s.wrong_among_picks.unwrap().value - 1.0).abs() < 1e-12);
        assert!(s.suspects.is_empty(), "the model was not sure of any");
        assert!(s.advice().unwrap().contains("more of them would help"), "{:?}", s.advice());
    }

    #[test]
    fn labels_against_a_very_sure_model_are_offered_again_the_surest_first() {
        let s = status(
            |row| row % 5 == 1,
            |row| {
                if row == 6 {
                    0.9999
                } else if row == 1 {
                    0.995
                } else {
                    0.6
                }
            },
        );
        let offered = s.suspects.iter().map(|s| (s.id, s.label.as_str(), s.model_says.as_str())).collect::<Vec<_>>();
        assert_eq!(offered, [(106, "dog", "cat"), (101, "dog", "cat")]);
    }

    #[test]
    fn it_says_when_to_stop() {
        // many picks, the last third of which finds nothing
        let purposes = vec![Purpose::Annotate; 120];
        let entries = (0..120).map(|row| answer(row, Purpose::Annotate, u32::from(row < 60))).collect::<Vec<_>>();
        let s = Status::of(&asked(&purposes, |_| 0.5), &entries);
        assert!((s.wrong_among_picks.unwrap().value - 0.5).abs() < 1e-12);
        assert!(s.wrong_among_last_picks.unwrap().value < 1e-12);
        assert!(s.advice().unwrap().contains("hardly worth it"), "{:?}", s.advice());
        // no more mistakes at the end than at random
        let s = status(|row| !(4..16).contains(&row), |_| 0.5);
        assert!(s.advice().unwrap().contains("another strategy"), "{:?}", s.advice());
        // too few to say anything
        let few = Status::of(&asked(&purposes[..8], |_| 0.5), &entries[..8]);
        assert_eq!((few.wrong_among_last_picks, few.advice()), (None, None));
    }
}
