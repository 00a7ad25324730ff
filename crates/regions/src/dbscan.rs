use crate::foreign::{clustering, radius, wide};
use crate::{Clusterer, Clustering, RegionError};
use hybridrepair_core::{Embeddings, Stream};
use linfa::traits::Transformer;

/// DBSCAN (Ester et al. 1996) by linfa, on one thread; its k-d tree helps below some twenty columns only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dbscan {
    /// Fewest samples within `eps` of a core sample, itself counted.
    pub min_points: usize,
    /// Radius in the units of the embeddings; `None` takes the median distance to the `min_points`-th sample.
    pub eps: Option<f64>,
}

impl Clusterer for Dbscan {
    fn name(&self) -> &'static str {
        "dbscan"
    }

    fn cluster(&self, x: &Embeddings, _rng: &mut Stream) -> Result<Clustering, RegionError> {
        let eps = radius(x, self.min_points, self.eps)?;
        let params = linfa_clustering::Dbscan::params::<f64>(self.min_points).tolerance(eps);
        let labels = params.transform(&wide(x));
        let labels = labels.map_err(|e| RegionError::Foreign { name: "dbscan", why: e.to_string() })?;
        clustering(x, &labels.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use ndarray::array;

    #[test]
    fn two_groups_and_a_stray() {
        let x = Embeddings::new(array![[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [50.0]]).unwrap();
        let rng = &mut Streams::new(0).named("t");
        for eps in [Some(0.15), None] {
            let found = Dbscan { min_points: 2, eps }.cluster(&x, rng).unwrap();
            assert_eq!((found.regions.len(), found.regions.noise()), (2, 1), "{eps:?}");
        }
        for bad in [Dbscan { min_points: 1, eps: None }, Dbscan { min_points: 8, eps: None }] {
            assert!(bad.cluster(&x, rng).is_err());
        }
        assert!(Dbscan { min_points: 2, eps: Some(f64::NAN) }.cluster(&x, rng).is_err());
        let same = Embeddings::new(ndarray::Array2::from_elem((9, 2), 4.0)).unwrap();
        assert_eq!(Dbscan { min_points: 3, eps: None }.cluster(&same, rng).unwrap().regions.len(), 1);
    }
}
