use crate::{CoreError, PoolIdx, SampleId};
use std::collections::HashMap;

/// Unlabelled field samples in row order. It carries no labels.
#[derive(Clone, Debug)]
pub struct Pool {
    ids: Vec<SampleId>,
    rows: HashMap<SampleId, PoolIdx>,
}

impl Pool {
    /// A pool whose row `i` is sample `ids[i]`.
    ///
    /// # Errors
    /// When a sample stands twice.
    pub fn new(ids: Vec<SampleId>) -> Result<Self, CoreError> {
        let mut rows = HashMap::with_capacity(ids.len());
        for (row, &id) in ids.iter().enumerate() {
            if rows.insert(id, PoolIdx::from(row)).is_some() {
                return Err(CoreError::DuplicateSample(id));
            }
        }
        Ok(Self { ids, rows })
    }

    /// A pool of the samples `0..n`.
    pub fn counted(n: usize) -> Self {
        Self::new((0..n as u64).map(SampleId).collect()).expect("counted samples are distinct")
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the pool has no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The sample in a row.
    pub fn id(&self, idx: PoolIdx) -> SampleId {
        self.ids[idx.row()]
    }

    /// The row of a sample, if it is in this pool.
    pub fn row_of(&self, id: SampleId) -> Option<PoolIdx> {
        self.rows.get(&id).copied()
    }

    /// All samples in row order.
    pub fn ids(&self) -> &[SampleId] {
        &self.ids
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = PoolIdx> + use<> {
        (0..self.ids.len()).map(PoolIdx::from)
    }
}
