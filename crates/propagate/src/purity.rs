use crate::PropagateError;
use crate::region::inside;
use hybridrepair_core::{ClassId, LabelSet, Regions};
use std::collections::BTreeMap;

/// What the labels that fall into a region say about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegionPurity {
    /// Labelled members.
    pub labelled: usize,
    /// Their commonest class, the lowest of equals.
    pub majority: Option<ClassId>,
    /// Share of them that agree with it; `None` below two labels, which cannot disagree.
    pub agreement: Option<f64>,
}

/// The agreement of the labelled members of each region, in the order of the regions.
///
/// # Errors
/// When a label lies outside the pool.
pub fn region_purity(regions: &Regions, labels: &LabelSet) -> Result<Vec<RegionPurity>, PropagateError> {
    let mut counts = vec![BTreeMap::<ClassId, usize>::new(); regions.len()];
    for label in labels.iter() {
        inside(label, regions.pool_len())?;
        if let Some(region) = regions.of(label.idx) {
            *counts[region.0 as usize].entry(label.class).or_default() += 1;
        }
    }
    let purity = |counts: &BTreeMap<ClassId, usize>| {
        let labelled = counts.values().sum::<usize>();
        let most = counts.iter().map(|(&class, &n)| (n, class)).reduce(|a, b| if b.0 > a.0 { b } else { a });
        RegionPurity {
            labelled,
            majority: most.map(|m| m.1),
            agreement: most.filter(|_| labelled > 1).map(|m| m.0 as f64 / labelled as f64),
        }
    };
    Ok(counts.iter().map(purity).collect())
}

/// Agreement of all regions with two labels or more, each weighted by its labels; `None` without such a region.
pub fn pooled_agreement(regions: &[RegionPurity]) -> Option<f64> {
    let known = regions.iter().filter_map(|r| r.agreement.map(|a| (a * r.labelled as f64, r.labelled)));
    let (agree, labels) = known.fold((0.0, 0), |(a, n), (b, m)| (a + b, n + m));
    (labels > 0).then(|| agree / labels as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::PoolIdx;

    #[test]
    fn agreement_by_hand() {
        let of = [0, 0, 0, 1, 1, 2].map(Some);
        let regions = Regions::from_labels(&of, &[PoolIdx(0), PoolIdx(3), PoolIdx(5)]).unwrap();
        let mut labels = LabelSet::new();
        for (row, class) in [(0, 7), (1, 7), (2, 8), (3, 1)] {
            labels.insert_bought(PoolIdx(row), ClassId(class));
        }
        let found = region_purity(&regions, &labels).unwrap();
        assert_eq!(found[0], RegionPurity { labelled: 3, majority: Some(ClassId(7)), agreement: Some(2.0 / 3.0) });
        assert_eq!(found[1], RegionPurity { labelled: 1, majority: Some(ClassId(1)), agreement: None });
        assert_eq!(found[2], RegionPurity { labelled: 0, majority: None, agreement: None });
        assert_eq!(pooled_agreement(&found), Some(2.0 / 3.0));
        assert_eq!(pooled_agreement(&found[1..]), None);
        labels.insert_bought(PoolIdx(6), ClassId(0));
        assert!(region_purity(&regions, &labels).is_err());
    }
}
