use crate::{PropagateError, Propagator};
use hybridrepair_core::{Embeddings, Label, LabelSet, Provenance, Regions, Selection};

/// The label of a bought centre for every member of its region (`HybridRepair`, Li et al. 2022).
///
/// No distance and no confidence is asked for; every label has weight 1. A pick speaks for its
/// [`Pick::region`](hybridrepair_core::Pick::region), or, without one, for the region that it lies in. Where two picks
/// speak for one region, the first bought wins; a bought label of the member itself wins over both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WholeRegion {
    /// Whether a bought sample that is no member of its region is itself added. The published method leaves it out and
    /// so loses a label that was paid for.
    pub keep_bought: bool,
}

impl WholeRegion {
    /// As published: a bought centre outside its region is not trained on.
    pub const PUBLISHED: Self = Self { keep_bought: false };
    /// Every label that was paid for is used.
    pub const CORRECTED: Self = Self { keep_bought: true };
}

impl Propagator for WholeRegion {
    fn name(&self) -> &'static str {
        "region"
    }

    fn propagate(
        &self,
        bought: &LabelSet,
        selection: &Selection,
        regions: Option<&Regions>,
        _x: Option<&Embeddings>,
    ) -> Result<LabelSet, PropagateError> {
        let regions = regions.ok_or(PropagateError::Missing { propagator: "region", what: "regions" })?;
        let mut out = LabelSet::new();
        for pick in &selection.picks {
            let Some(label) = bought.get(pick.idx) else { continue };
            inside(label, regions.pool_len())?;
            let Some(region) = pick.region.or_else(|| regions.of(pick.idx)) else { continue };
            if region.0 as usize >= regions.len() {
                return Err(PropagateError::NoSuchRegion { idx: pick.idx, region, len: regions.len() });
            }
            for &idx in &regions.get(region).members {
                if !out.contains(idx) {
                    out.insert(Label { idx, class: label.class, provenance: Provenance::Propagated, weight: 1.0 });
                }
            }
        }
        for label in bought.iter() {
            inside(label, regions.pool_len())?;
            // a member keeps the label that was bought for it even when its region was labelled by another pick
            if self.keep_bought || out.contains(label.idx) {
                out.insert(*label);
            }
        }
        Ok(out)
    }
}

/// Fails for a label of a sample outside the pool.
pub(crate) fn inside(label: &Label, len: usize) -> Result<(), PropagateError> {
    if label.idx.row() < len { Ok(()) } else { Err(PropagateError::OutsidePool { idx: label.idx, len }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, Pick, PoolIdx, Region, RegionId, SampleId};

    pub(crate) fn picks(rows: &[(u32, Option<u32>)]) -> Selection {
        let pick = |(rank, &(row, region)): (usize, &(u32, Option<u32>))| Pick {
            id: SampleId(row.into()),
            idx: PoolIdx(row),
            rank,
            score: 1.0,
            region: region.map(RegionId),
            reason: String::new(),
        };
        Selection { picks: rows.iter().enumerate().map(pick).collect() }
    }

    fn labels(of: &LabelSet) -> Vec<(u32, u32, Provenance)> {
        of.iter().map(|l| (l.idx.0, l.class.0, l.provenance)).collect()
    }

    fn bought(of: &[(u32, u32)]) -> LabelSet {
        let mut set = LabelSet::new();
        for &(row, class) in of {
            set.insert_bought(PoolIdx(row), ClassId(class));
        }
        set
    }

    /// Regions {0, 1}, {2, 3, 4} and noise {5, 6}; the centre of the second is the noise point 5.
    fn regions() -> Regions {
        let region = |m: &[u32], c| Region { members: m.iter().map(|&i| PoolIdx(i)).collect(), center: PoolIdx(c) };
        Regions::new(7, vec![region(&[0, 1], 0), region(&[2, 3, 4], 5)]).unwrap()
    }

    #[test]
    fn the_published_rule_loses_a_centre_outside_its_region() {
        use Provenance::{Bought, Propagated};
        let selection = picks(&[(5, Some(1)), (0, Some(0))]);
        let bought = bought(&[(5, 7), (0, 3)]);
        let out = WholeRegion::PUBLISHED.propagate(&bought, &selection, Some(&regions()), None).unwrap();
        let members =
            vec![(0, 3, Bought), (1, 3, Propagated), (2, 7, Propagated), (3, 7, Propagated), (4, 7, Propagated)];
        assert_eq!(labels(&out), members);
        let out = WholeRegion::CORRECTED.propagate(&bought, &selection, Some(&regions()), None).unwrap();
        assert_eq!(labels(&out), [members, vec![(5, 7, Bought)]].concat());
    }

    #[test]
    fn picks_without_region_speak_for_where_they_lie_and_unanswered_picks_for_nothing() {
        use Provenance::{Bought, Propagated};
        let selection = picks(&[(1, None), (6, None), (3, None)]);
        let out = WholeRegion::CORRECTED.propagate(&bought(&[(1, 2), (6, 9)]), &selection, Some(&regions()), None);
        assert_eq!(labels(&out.unwrap()), [(0, 2, Propagated), (1, 2, Bought), (6, 9, Bought)]);
    }

    #[test]
    fn bad_input_is_named() {
        let rule = WholeRegion::PUBLISHED;
        let one = bought(&[(1, 2)]);
        assert!(matches!(
            rule.propagate(&one, &picks(&[]), None, None),
            Err(PropagateError::Missing { what: "regions", .. })
        ));
        assert!(matches!(
            rule.propagate(&one, &picks(&[(1, Some(9))]), Some(&regions()), None),
            Err(PropagateError::NoSuchRegion { .. })
        ));
        assert!(rule.propagate(&bought(&[(70, 2)]), &picks(&[(70, None)]), Some(&regions()), None).is_err());
        assert!(rule.propagate(&LabelSet::new(), &picks(&[(1, None)]), Some(&regions()), None).unwrap().is_empty());
    }
}
