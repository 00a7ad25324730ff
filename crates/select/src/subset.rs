use crate::SelectError;
use hybridrepair_core::{Embeddings, Evidence, Label, Pool, PoolIdx, Probs, Region, RegionId, Regions, Views};
use ndarray::Axis;

/// A part of a pool as a pool of its own.
pub(crate) struct Subset {
    pub(crate) pool: Pool,
    pub(crate) evidence: Evidence,
    /// The region of the whole pool for each of the part's.
    regions: Vec<RegionId>,
    rows: Vec<PoolIdx>,
}

impl Subset {
    /// These rows of a pool, ascending. A region belongs to the part that holds its centre, with the members that are
    /// there; the neighbour graph is left out, because its neighbours would be.
    pub(crate) fn of(pool: &Pool, evidence: &Evidence, rows: Vec<PoolIdx>) -> Result<Self, SelectError> {
        let plain: Vec<usize> = rows.iter().map(|idx| idx.row()).collect();
        let mut new = vec![None; pool.len()];
        for (at, idx) in rows.iter().enumerate() {
            new[idx.row()] = Some(PoolIdx::from(at));
        }
        let moved = |idx: PoolIdx| new[idx.row()];
        let select = |x: &Option<Embeddings>| x.as_ref().map(|x| x.select(&plain)).transpose();
        let probs = |p: &Probs| Probs::new(p.view().select(Axis(0), &plain));
        let views = evidence.views.as_ref().map(|v| {
            let (entropy, variance) = (v.entropy.select(Axis(0), &plain), v.variance.select(Axis(0), &plain));
            Ok::<_, SelectError>(Views { mean_probs: probs(&v.mean_probs)?, entropy, variance })
        });
        let mut ids = Vec::new();
        let regions = evidence.regions.as_ref().map(|regions| {
            let here = regions.iter().filter_map(|(id, region)| {
                let center = moved(region.center)?;
                let members: Vec<PoolIdx> = region.members.iter().filter_map(|&idx| moved(idx)).collect();
                (!members.is_empty()).then(|| {
                    ids.push(id);
                    Region { members, center }
                })
            });
            Regions::new(rows.len(), here.collect())
        });
        let known = evidence.known.iter().filter_map(|label| Some(Label { idx: moved(label.idx)?, ..*label }));
        let evidence = Evidence {
            probs: evidence.probs.as_ref().map(probs).transpose()?,
            features: select(&evidence.features)?,
            embeddings: select(&evidence.embeddings)?,
            views: views.transpose()?,
            regions: regions.transpose()?,
            graph: None,
            source: evidence.source.clone(),
            known: known.collect(),
        };
        let pool = Pool::new(rows.iter().map(|&idx| pool.id(idx)).collect())?;
        Ok(Self { pool, evidence, regions: ids, rows })
    }

    /// The row of the whole pool.
    pub(crate) fn row(&self, idx: PoolIdx) -> PoolIdx {
        self.rows[idx.row()]
    }

    /// The region of the whole pool.
    pub(crate) fn region(&self, id: RegionId) -> RegionId {
        self.regions[id.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, SampleId};
    use ndarray::array;

    #[test]
    fn everything_follows_its_rows() {
        let pool = Pool::new([4, 5, 6, 7].map(SampleId).to_vec()).unwrap();
        let labels = [Some(0), Some(1), Some(1), Some(2)];
        let mut evidence = Evidence {
            features: Some(Embeddings::new(array![[0.0], [1.0], [2.0], [3.0]]).unwrap()),
            // region 0 has its centre elsewhere, region 1 two members of which one is here
            regions: Some(Regions::from_labels(&labels, &[PoolIdx(0), PoolIdx(1), PoolIdx(3)]).unwrap()),
            ..Evidence::default()
        };
        evidence.known.insert_bought(PoolIdx(3), ClassId(2));
        evidence.known.insert_bought(PoolIdx(0), ClassId(1));
        let part = Subset::of(&pool, &evidence, vec![PoolIdx(1), PoolIdx(3)]).unwrap();
        assert_eq!(part.pool.ids(), [SampleId(5), SampleId(7)]);
        assert_eq!(part.evidence.features.as_ref().unwrap().as_slice(), [1.0, 3.0]);
        let known: Vec<_> = part.evidence.known.iter().map(|l| (l.idx, l.class)).collect();
        assert_eq!(known, [(PoolIdx(1), ClassId(2))]);
        let regions = part.evidence.regions.as_ref().unwrap();
        assert_eq!(regions.len(), 2);
        assert_eq!(regions.get(RegionId(0)).members, [PoolIdx(0)]);
        assert_eq!((part.region(RegionId(0)), part.region(RegionId(1))), (RegionId(1), RegionId(2)));
        assert_eq!(part.row(PoolIdx(1)), PoolIdx(3));
        part.evidence.check(2).unwrap();
    }
}
