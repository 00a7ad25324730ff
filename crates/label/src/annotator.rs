use crate::LabelError;
use hybridrepair_core::{LabelSet, Ledger, Selection};
use std::path::PathBuf;

/// The only way to a label of the pool. It may answer "not yet".
pub trait Annotator {
    /// Labels for the picks; each one that was not given before is noted in the ledger.
    ///
    /// # Errors
    /// When the ledger's budget is spent, a pick lies outside the pool, or the source of the labels cannot be read. What
    /// was noted until then stays in the ledger.
    fn annotate(&mut self, ask: &Selection, ledger: &mut Ledger) -> Result<Answer, LabelError>;
}

/// What an annotator says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// All labels that were asked for.
    Complete(LabelSet),
    /// Some are still missing.
    Waiting {
        /// The labels that are there.
        have: LabelSet,
        /// Number of picks without a label.
        missing: usize,
        /// The file in which people enter labels.
        task_file: PathBuf,
    },
}

impl Answer {
    /// The labels that are there.
    pub fn labels(&self) -> &LabelSet {
        match self {
            Self::Complete(labels) | Self::Waiting { have: labels, .. } => labels,
        }
    }
}
