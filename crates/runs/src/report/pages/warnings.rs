use crate::{
    Event, EventLine, RunsError, Summary, layout,
    report::{Html, Page, RunFolder, Tone},
};
use hybridrepair_core::metrics::mcnemar;

/// What a reader must know before believing the numbers, in plain words.
pub(super) struct Warnings;

/// Holdouts below this size say little.
const SMALL: usize = 200;

impl Page for Warnings {
    fn name(&self) -> &'static str {
        "warnings"
    }

    fn title(&self) -> &'static str {
        "Before you rely on it"
    }

    fn needs(&self) -> &'static [&'static str] {
        &[layout::EVENTS]
    }

    fn write(&self, run: &RunFolder, html: &mut Html) -> Result<(), RunsError> {
        let mut told = Vec::new();
        if run.has(layout::SUMMARY) {
            doubts(run, &Summary::read(&run.layout().summary())?, &mut told);
        } else {
            told.push("This run is not complete: it has no result yet.".to_owned());
        }
        let events: Vec<EventLine> = run.lines(layout::EVENTS)?;
        for event in events {
            if let Event::Warning { stage, message } = event.event {
                let line = stage.map_or(message.clone(), |s| format!("Stage {s}: {message}."));
                // a run that was resumed says the same twice
                if !told.contains(&line) {
                    told.push(line);
                }
            }
        }
        for line in &told {
            html.note(Tone::Warning, line);
        }
        Ok(())
    }
}

fn doubts(run: &RunFolder, s: &Summary, told: &mut Vec<String>) {
    let h = &s.holdout;
    if h.n < SMALL {
        told.push(format!("Only {} samples judge: every interval here is wide.", h.n));
    }
    if s.random_share.as_ref().is_some_and(|r| r.instead_of_holdout) {
        told.push("There is no holdout: random samples of the field judge, bought out of the same budget.".to_owned());
    }
    if s.holdout_inputs_used {
        told.push(
            "A threshold was found on the inputs (not the labels) of the holdout, as the published method does: the result \
             may look better than it is."
                .to_owned(),
        );
    }
    if s.checkpoint.is_some() && h.after < h.raw {
        told.push("The repaired model is less accurate than the one that was deployed: do not deploy it.".to_owned());
    }
    // of a thousand classes fifty look worse by chance: each must be beyond chance in the sight of all (Bonferroni)
    let level = 0.05 / h.per_class.len().max(1) as f64;
    let harmed: Vec<String> = h
        .per_class
        .iter()
        .filter(|c| c.broken > c.repaired && mcnemar(c.repaired, c.broken) < level)
        .map(|c| run.class(c.class.column()))
        .collect();
    match &harmed[..] {
        [] => {}
        [one] => told.push(format!("Class {one} got worse, beyond what chance explains.")),
        several => told.push(format!(
            "{} classes got worse, beyond what chance explains: {}.",
            several.len(),
            several.join(", ")
        )),
    }
}
