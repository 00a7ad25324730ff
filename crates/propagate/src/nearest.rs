use crate::region::inside;
use crate::{PropagateError, Propagator};
use hybridrepair_core::{Embeddings, Label, LabelSet, PoolIdx, Provenance, Regions, Selection};
use hybridrepair_kernels::nearest;

/// The label of the nearest bought sample, for samples within a radius of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearestLabel {
    /// Euclidean, in the units of the embeddings; infinity labels every sample.
    pub radius: f64,
}

impl Propagator for NearestLabel {
    fn name(&self) -> &'static str {
        "nearest"
    }

    fn propagate(
        &self,
        bought: &LabelSet,
        _selection: &Selection,
        _regions: Option<&Regions>,
        x: Option<&Embeddings>,
    ) -> Result<LabelSet, PropagateError> {
        let x = x.ok_or(PropagateError::Missing { propagator: "nearest", what: "embeddings" })?;
        if self.radius.is_nan() || self.radius < 0.0 {
            return Err(PropagateError::Parameter { what: "radius", given: self.radius, expected: "0 or more" });
        }
        if bought.is_empty() {
            return Ok(LabelSet::new());
        }
        for label in bought.iter() {
            inside(label, x.len())?;
        }
        let sources = bought.iter().collect::<Vec<_>>();
        let known = x.select(&sources.iter().map(|l| l.idx.row()).collect::<Vec<_>>())?;
        let found = nearest(x.into(), (&known).into())?;
        let labels = (0..x.len()).filter_map(|i| {
            let idx = PoolIdx::from(i);
            if let Some(own) = bought.get(idx) {
                return Some(*own);
            }
            let within = f64::from(found.squared[i]).sqrt() <= self.radius;
            let source = sources[found.index[i] as usize];
            within.then_some(Label { idx, provenance: Provenance::Propagated, ..*source })
        });
        Ok(labels.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::ClassId;
    use ndarray::array;

    #[test]
    fn labels_reach_as_far_as_the_radius() {
        let x = Embeddings::new(array![[0.0], [1.0], [2.0], [10.0], [11.0]]).unwrap();
        let mut bought = LabelSet::new();
        bought.insert_bought(PoolIdx(0), ClassId(3));
        bought.insert_bought(PoolIdx(3), ClassId(4));
        let run = |radius| NearestLabel { radius }.propagate(&bought, &Selection::default(), None, Some(&x));
        let rows = |set: LabelSet| set.iter().map(|l| (l.idx.0, l.class.0)).collect::<Vec<_>>();
        assert_eq!(rows(run(1.0).unwrap()), [(0, 3), (1, 3), (3, 4), (4, 4)]);
        assert_eq!(rows(run(0.0).unwrap()), [(0, 3), (3, 4)]);
        let all = run(f64::INFINITY).unwrap();
        assert_eq!(all.len(), 5);
        assert_eq!(all.get(PoolIdx(0)).unwrap().provenance, Provenance::Bought);
        assert_eq!(all.get(PoolIdx(2)).unwrap().provenance, Provenance::Propagated);
        assert!(run(-1.0).is_err());
        assert!(run(f64::NAN).is_err());
        let rule = NearestLabel { radius: 1.0 };
        assert!(rule.propagate(&bought, &Selection::default(), None, None).is_err());
        assert!(rule.propagate(&LabelSet::new(), &Selection::default(), None, Some(&x)).unwrap().is_empty());
        bought.insert_bought(PoolIdx(5), ClassId(0));
        assert!(rule.propagate(&bought, &Selection::default(), None, Some(&x)).is_err());
    }
}
