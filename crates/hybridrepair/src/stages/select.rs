use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{Evidence, Selection};
use hybridrepair_runs::{read_selection, write_selection};
use hybridrepair_select::strategy;
use std::collections::BTreeSet;

/// Draws the random share: samples of the whole pool, each as likely as any other, that judge and are not trained on.
///
/// # Errors
/// When files cannot be written or read.
pub fn random_share(session: &Session, run: &mut Run<'_>) -> Result<Selection, Error> {
    let path = run.dir.layout().random_share();
    if session.judges == 0 {
        return Ok(Selection::default());
    }
    if path.is_file() {
        return Ok(read_selection(&path, &session.pool)?);
    }
    let mut rng = session.streams.named("random-share");
    let mut judges = strategy("random")?.select(&session.pool, &Evidence::default(), session.judges, &mut rng)?;
    for pick in &mut judges.picks {
        "drawn at random, to estimate accuracy by".clone_into(&mut pick.reason);
    }
    write_selection(&path, &judges)?;
    Ok(judges)
}

/// Chooses the samples worth a label, none of them a judge, and writes `selection.jsonl`. A selection that is there stays:
/// people may be at work on it.
///
/// # Errors
/// When evidence is missing or does not fit the pool.
pub fn select(
    session: &Session,
    run: &mut Run<'_>,
    name: &str,
    evidence: &Evidence,
    judges: &Selection,
) -> Result<Selection, Error> {
    run.stage("select", |run| {
        let path = run.dir.layout().selection();
        if path.is_file() {
            return Ok((read_selection(&path, &session.pool)?, Cost { cached: true, ..Cost::default() }));
        }
        let rule = strategy(name)?;
        let mut rng = session.streams.named("select");
        // only what the rule declares: an undeclared look would be an error here and not a silent dependence
        let allowed = evidence.restricted_to(rule.needs());
        // so many more that none is missing when the judges are left out
        let most = (session.picks + judges.len()).min(session.pool.len());
        let mut selection = rule.select(&session.pool, &allowed, most, &mut rng)?;
        if !judges.is_empty() {
            let judges = judges.picks.iter().map(|p| p.idx).collect::<BTreeSet<_>>();
            selection.picks.retain(|pick| !judges.contains(&pick.idx));
            selection.picks.truncate(session.picks);
            selection.picks.iter_mut().enumerate().for_each(|(rank, pick)| pick.rank = rank);
        }
        write_selection(&path, &selection)?;
        Ok((selection, Cost::default()))
    })
}
