use crate::{Error, Run, Session, run::Cost};
use hybridrepair_core::{LabelSet, Selection};
use hybridrepair_label::{Annotator, Answer, Oracle};
use hybridrepair_runs::write_labels;

/// Buys the labels of the selection from the benchmark's sealed labels, each through the ledger.
///
/// # Errors
/// When the ledger refuses, or files cannot be written.
pub fn annotate(session: &Session, run: &mut Run<'_>, selection: &Selection) -> Result<LabelSet, Error> {
    run.stage("annotate", |run| {
        let mut oracle = Oracle::new(session.splits.field.labels.clone(), "annotate").resumed(already_bought(run));
        let labels = match oracle.annotate(selection, &mut run.ledger)? {
            Answer::Complete(labels) => labels,
            Answer::Waiting { missing, .. } => {
                return Err(Error::Config(format!("the benchmark gave no label for {missing} samples")));
            }
        };
        run.sync_ledger()?;
        write_labels(&run.dir.layout().labels(), &labels, &session.pool)?;
        Ok((labels, Cost::default()))
    })
}

/// Labels that an earlier process of this run has paid for.
fn already_bought(run: &Run<'_>) -> LabelSet {
    let mut labels = LabelSet::new();
    for entry in run.ledger.entries() {
        if let (Some(idx), Some(class)) = (entry.idx, entry.class) {
            labels.insert_bought(idx, class);
        }
    }
    labels
}
