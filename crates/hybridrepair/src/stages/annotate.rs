use crate::{Error, Run, Session, Waiting, asked::write_asked, run::Cost};
use hybridrepair_core::{Evidence, LabelSet, Purpose, Selection};
use hybridrepair_label::{Annotator, Answer, NoisyOracle, Oracle, People, Verdict, verdicts};
use hybridrepair_runs::write_labels;

/// Labels that were bought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bought {
    /// For training.
    pub labels: LabelSet,
    /// Of the random share: never trained on.
    pub judges: LabelSet,
}

/// Buys labels: of the benchmark's sealed ones, each through the ledger, or of people, whose answers stand there already.
///
/// With several answers per picture the majority counts; a picture on which they are at odds, or that nobody can tell, has
/// no label.
///
/// # Errors
/// [`Error::Waiting`] when people have not answered yet (unless `run.partial` says to go on with what is there), when the
/// ledger refuses, or files cannot be written.
pub fn annotate(
    session: &Session,
    run: &mut Run<'_>,
    selection: &Selection,
    judges: &Selection,
    evidence: &Evidence,
) -> Result<Bought, Error> {
    run.stage("annotate", |run| {
        if session.asks_people() {
            write_asked(session, run.dir.layout(), selection, judges, evidence)?;
        }
        let mut waiting = Waiting { asked: selection.len() + judges.len(), judges: judges.len(), missing: 0, ties: 0 };
        let mut bought = Bought::default();
        for (ask, purpose) in [(selection, Purpose::Annotate), (judges, Purpose::Judge)] {
            let answer = annotator(session, purpose)?.annotate(ask, &mut run.ledger)?;
            if let Answer::Waiting { missing, ties, .. } = &answer {
                waiting.missing += missing.len();
                waiting.ties += ties.len();
            }
            let labels = answer.labels().clone();
            *(if purpose == Purpose::Judge { &mut bought.judges } else { &mut bought.labels }) = labels;
        }
        run.sync_ledger()?;
        if waiting.missing + waiting.ties > 0 {
            if !run.partial {
                return Err(Error::Waiting(waiting));
            }
            let Waiting { missing, ties, .. } = waiting;
            run.warn("annotate", &format!("went on without {missing} answers that are missing and {ties} ties"))?;
        }
        tell_what_is_left_out(run, selection)?;
        if bought.labels.is_empty() {
            return Err(Error::Config("no picture has a label: every answer is \"cannot tell\" or at odds".to_owned()));
        }
        write_labels(&run.dir.layout().labels(), &bought.labels, &session.pool)?;
        Ok((bought, Cost::default()))
    })
}

fn annotator(session: &Session, purpose: Purpose) -> Result<Box<dyn Annotator>, Error> {
    let settings = &session.config.annotate;
    if session.asks_people() {
        return Ok(Box::new(People { answers: settings.answers }));
    }
    let sealed = session.splits.field.labels.clone();
    if sealed.is_empty() {
        return Err(Error::Config("the field pool has no labels to read: people must give them".to_owned()));
    }
    if settings.error_rate > 0.0 || settings.answers > 1 {
        let classes = session.splits.classes();
        let noisy = NoisyOracle::new(sealed, classes, settings.error_rate, session.streams, "annotate")?;
        return Ok(Box::new(noisy.answers(settings.answers).purpose(purpose)));
    }
    Ok(Box::new(Oracle::new(sealed, "annotate").purpose(purpose)))
}

/// Answers that give no label are told, never dropped silently.
fn tell_what_is_left_out(run: &mut Run<'_>, selection: &Selection) -> Result<(), Error> {
    let verdicts = verdicts(run.ledger.entries());
    let of = |pick: &hybridrepair_core::Pick| verdicts.get(&pick.idx);
    let count = |wanted: fn(&Verdict) -> bool| selection.picks.iter().filter_map(of).filter(|v| wanted(v)).count();
    let (ties, untold) =
        (count(|v| matches!(v, Verdict::Tie { .. })), count(|v| matches!(v, Verdict::CannotTell { .. })));
    if ties + untold > 0 {
        let message = format!("no label for {ties} pictures with tied answers and {untold} that nobody can tell");
        run.warn("annotate", &message)?;
    }
    Ok(())
}
