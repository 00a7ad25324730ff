use crate::{PoolIdx, RegionId, SampleId};
use serde::{Deserialize, Serialize};

/// One sample worth a label, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pick {
    /// The sample in its data set.
    pub id: SampleId,
    /// Its row in the pool.
    pub idx: PoolIdx,
    /// Order of purchase, from 0.
    pub rank: usize,
    /// The strategy's score: larger is better; comparable within one selection only.
    pub score: f64,
    /// The region that the label will speak for, where the strategy buys per region.
    pub region: Option<RegionId>,
    /// In words, for people.
    pub reason: String,
}

/// The samples to buy, best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Picks in order of purchase.
    pub picks: Vec<Pick>,
}

impl Selection {
    /// Number of picks.
    pub fn len(&self) -> usize {
        self.picks.len()
    }

    /// Whether nothing was picked.
    pub fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    /// The picked rows in order of purchase.
    pub fn rows(&self) -> Vec<PoolIdx> {
        self.picks.iter().map(|p| p.idx).collect()
    }
}
