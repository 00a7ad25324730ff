//! Index spaces as types, so that they cannot be mixed.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A sample of a data set, stable over runs and over pools drawn from that set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleId(pub u64);

/// A row of one pool: position 0 is the first row of its embeddings, logits and images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PoolIdx(pub u32);

/// A class, counted from 0 in the order of the model's logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassId(pub u32);

/// A region (cluster) of one clustering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegionId(pub u32);

impl PoolIdx {
    /// The row number, for indexing arrays of this pool.
    pub fn row(self) -> usize {
        self.0 as usize
    }
}

impl From<usize> for PoolIdx {
    fn from(row: usize) -> Self {
        Self(u32::try_from(row).expect("a pool holds fewer than 2^32 samples"))
    }
}

impl ClassId {
    /// The column of this class in logits and probabilities.
    pub fn column(self) -> usize {
        self.0 as usize
    }
}

impl From<usize> for ClassId {
    fn from(column: usize) -> Self {
        Self(u32::try_from(column).expect("fewer than 2^32 classes"))
    }
}

impl From<usize> for RegionId {
    fn from(region: usize) -> Self {
        Self(u32::try_from(region).expect("fewer than 2^32 regions"))
    }
}

macro_rules! display {
    ($($t:ty),*) => {$(
        impl fmt::Display for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
display!(SampleId, PoolIdx, ClassId, RegionId);
