//! Labelled pictures for repairs that search instead of training: some of a split to repair on, the holdout to judge.

use crate::Error;
use hybridrepair_core::{Ledger, Purpose, Streams};
use hybridrepair_data::{Labelled, Splits};
use std::str::FromStr;

/// Seed of the draw of rows: part of the data, not of the run, so that all seeds of a search see the same pictures.
const ROWS_SEED: u64 = 10;

/// A split that may be repaired on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairPart {
    /// What the model was trained on.
    Train,
    /// Held out from training.
    Val,
    /// The field pool: its labels are bought.
    Field,
}

impl FromStr for RepairPart {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "train" => Ok(Self::Train),
            "val" => Ok(Self::Val),
            "field" => Ok(Self::Field),
            other => Err(Error::Config(format!("part {other:?} is none of train, val, field"))),
        }
    }
}

impl RepairPart {
    /// Number of pictures.
    pub fn len(self, splits: &Splits) -> usize {
        match self {
            Self::Train => splits.train.images.len(),
            Self::Val => splits.val.images.len(),
            Self::Field => splits.field.images.len(),
        }
    }

    /// `n` pictures with their labels, drawn without replacement, in row order. Labels of the field pool are noted in the
    /// ledger as bought.
    pub fn draw(self, splits: &Splits, n: usize, ledger: &mut Ledger) -> Labelled {
        let mut rng = Streams::new(ROWS_SEED).named("patch-rows");
        let mut rows = rand::seq::index::sample(&mut rng, self.len(splits), n.min(self.len(splits))).into_vec();
        rows.sort_unstable();
        match self {
            Self::Train => splits.train.select(&rows),
            Self::Val => splits.val.select(&rows),
            Self::Field => Labelled {
                images: splits.field.images.select(&rows),
                labels: ledger.reveal(&splits.field.labels.select(&rows), Purpose::Annotate, "patch").to_vec(),
                ids: rows.iter().map(|&i| splits.field.ids[i]).collect(),
            },
        }
    }
}

/// All of the holdout, whose labels judge and choose nothing.
pub fn holdout(splits: &Splits, ledger: &mut Ledger) -> Labelled {
    Labelled {
        images: splits.holdout.images.clone(),
        labels: ledger.reveal(&splits.holdout.labels, Purpose::Evaluate, "patch").to_vec(),
        ids: splits.holdout.ids.clone(),
    }
}
