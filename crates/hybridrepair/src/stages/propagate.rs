use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{Evidence, LabelSet, Purpose, Selection, metrics::accuracy};
use hybridrepair_propagate::{Propagator, WholeRegion};
use hybridrepair_runs::{Metric, write_labels};

/// Gives each bought label to every member of its region and writes `propagated.jsonl`.
///
/// How many of the spread labels are right is noted as a diagnosis in `metrics.jsonl`; no choice depends on it.
///
/// # Errors
/// When a pick has no region.
pub fn propagate(
    session: &Session,
    run: &mut Run<'_>,
    bought: &LabelSet,
    selection: &Selection,
    evidence: &Evidence,
) -> Result<LabelSet, Error> {
    run.stage("propagate", |run| {
        // upstream leaves a center that is no member of its region without a label
        let rule = WholeRegion { keep_bought: session.config.regions.medoid };
        let labels = rule.propagate(bought, selection, evidence.regions.as_ref(), evidence.embeddings.as_ref())?;
        write_labels(&run.dir.layout().propagated(), &labels, &session.pool)?;
        if session.splits.field.labels.is_empty() {
            return Ok((labels, Cost::default()));
        }
        let truth = run.ledger.reveal(&session.splits.field.labels, Purpose::Diagnose, "propagation accuracy").to_vec();
        let (spread, right): (Vec<_>, Vec<_>) = labels.iter().map(|l| (l.class, truth[l.idx.row()])).unzip();
        let mut metric = Metric::of("propagate");
        metric.acc1 = Some(accuracy(&spread, &right));
        metric.images = Some(labels.len() as u64);
        run.metrics.record(&metric)?;
        Ok((labels, Cost::default()))
    })
}
