use crate::{CoreError, PoolIdx, RegionId};

/// A group of pool samples with the one that speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its members, in row order; at least one.
    pub members: Vec<PoolIdx>,
    /// The sample whose label is bought for the region. In the published method it may lie outside `members`.
    pub center: PoolIdx,
}

/// Disjoint groups of a pool; samples in no region are noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    regions: Vec<Region>,
    of: Vec<Option<RegionId>>,
}

impl Regions {
    /// Regions of a pool of `n` samples.
    ///
    /// # Errors
    /// When a region is empty, a row lies outside the pool, or two regions share a row.
    pub fn new(n: usize, regions: Vec<Region>) -> Result<Self, CoreError> {
        let mut of = vec![None; n];
        for (r, region) in regions.iter().enumerate() {
            if region.members.is_empty() {
                return Err(CoreError::Empty { what: "region", rows: 0, cols: 1 });
            }
            for &idx in region.members.iter().chain([&region.center]) {
                if idx.row() >= n {
                    return Err(CoreError::OutsidePool { idx, len: n });
                }
            }
            for &idx in &region.members {
                if of[idx.row()].replace(RegionId::from(r)).is_some() {
                    return Err(CoreError::Rows { what: "overlapping regions", got: idx.row(), expected: n });
                }
            }
        }
        Ok(Self { regions, of })
    }

    /// Regions from a label per sample (`None` is noise) and a center per region, numbered `0..centers.len()`.
    ///
    /// # Errors
    /// As [`Regions::new`], or when a label is above the number of centers.
    pub fn from_labels(labels: &[Option<u32>], centers: &[PoolIdx]) -> Result<Self, CoreError> {
        let mut members = vec![Vec::new(); centers.len()];
        for (row, label) in labels.iter().enumerate() {
            if let Some(r) = label {
                members
                    .get_mut(*r as usize)
                    .ok_or(CoreError::Rows { what: "region centers", got: centers.len(), expected: *r as usize + 1 })?
                    .push(PoolIdx::from(row));
            }
        }
        let regions = members.into_iter().zip(centers).map(|(members, &center)| Region { members, center }).collect();
        Self::new(labels.len(), regions)
    }

    /// Number of regions.
    pub fn len(&self) -> usize {
        self.regions.len()
    }

    /// Whether there is no region.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// Number of samples of the pool, noise included.
    pub fn pool_len(&self) -> usize {
        self.of.len()
    }

    /// One region.
    pub fn get(&self, id: RegionId) -> &Region {
        &self.regions[id.0 as usize]
    }

    /// All regions with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (RegionId, &Region)> {
        self.regions.iter().enumerate().map(|(r, region)| (RegionId::from(r), region))
    }

    /// The region of a sample, `None` for noise.
    pub fn of(&self, idx: PoolIdx) -> Option<RegionId> {
        self.of[idx.row()]
    }

    /// The region of each sample, `None` for noise.
    pub fn labels(&self) -> &[Option<RegionId>] {
        &self.of
    }

    /// Number of samples in no region.
    pub fn noise(&self) -> usize {
        self.of.iter().filter(|r| r.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_regions_and_noise() {
        let r = Regions::from_labels(&[Some(1), None, Some(0), Some(1)], &[PoolIdx(2), PoolIdx(1)]).unwrap();
        assert_eq!(r.len(), 2);
        assert_eq!(r.noise(), 1);
        assert_eq!(r.get(RegionId(1)).members, [PoolIdx(0), PoolIdx(3)]);
        assert_eq!(r.get(RegionId(1)).center, PoolIdx(1), "a center may lie outside its region");
        assert_eq!(r.of(PoolIdx(2)), Some(RegionId(0)));
    }

    #[test]
    fn overlapping_empty_and_outside_are_refused() {
        let region = |m: &[u32]| Region { members: m.iter().map(|&i| PoolIdx(i)).collect(), center: PoolIdx(0) };
        assert!(Regions::new(3, vec![region(&[0, 1]), region(&[1])]).is_err());
        assert!(Regions::new(3, vec![region(&[])]).is_err());
        assert!(Regions::new(3, vec![region(&[3])]).is_err());
    }
}
