use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{Evidence, Selection};
use hybridrepair_runs::write_selection;
use hybridrepair_select::strategy;

/// Chooses the samples worth a label and writes `selection.jsonl`.
///
/// # Errors
/// When evidence is missing or does not fit the pool.
pub fn select(session: &Session, run: &mut Run<'_>, name: &str, evidence: &Evidence) -> Result<Selection, Error> {
    run.stage("select", |run| {
        let rule = strategy(name)?;
        let mut rng = session.streams.named("select");
        // only what the rule declares: an undeclared look would be an error here and not a silent dependence
        let allowed = evidence.restricted_to(rule.needs());
        let selection = rule.select(&session.pool, &allowed, session.budget, &mut rng)?;
        write_selection(&run.dir.layout().selection(), &selection)?;
        Ok((selection, Cost::default()))
    })
}
