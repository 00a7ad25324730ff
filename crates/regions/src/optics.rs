use crate::foreign::{clustering, radius, wide};
use crate::{Clusterer, Clustering, RegionError};
use hybridrepair_core::{Embeddings, Stream};
use linfa::traits::Transformer;

/// OPTICS (Ankerst et al. 1999) by linfa, its ordering cut at one reachability (`ExtractDBSCAN`, figure 7 there).
///
/// It sorts all distances of each sample: time grows with `n^2 log n` on one thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optics {
    /// Samples that a core distance reaches, the sample itself counted.
    pub min_points: usize,
    /// Reachability of the cut; `None` takes the median distance to the `min_points`-th sample.
    pub eps: Option<f64>,
}

/// Above this many samples the ordering would take hours.
const MOST: usize = 20_000;

impl Clusterer for Optics {
    fn name(&self) -> &'static str {
        "optics"
    }

    fn cluster(&self, x: &Embeddings, _rng: &mut Stream) -> Result<Clustering, RegionError> {
        if x.len() > MOST {
            let expected = format!("at most {MOST}: use hdbscan, which finds the same hierarchy");
            return Err(RegionError::Parameter { what: "samples for optics", given: x.len() as f64, expected });
        }
        let eps = radius(x, self.min_points, self.eps)?;
        let wide = wide(x);
        let params = linfa_clustering::Optics::params::<f64>(self.min_points);
        let order = params.transform(wide.view());
        let order = order.map_err(|e| RegionError::Foreign { name: "optics", why: e.to_string() })?;
        let mut labels = vec![None; x.len()];
        let (mut current, mut next) = (None, 0);
        for sample in order.iter() {
            let within = |d: &Option<f64>| d.is_some_and(|d| d <= eps);
            if !within(sample.reachability_distance()) || current.is_none() {
                current = within(sample.core_distance()).then_some(next);
                next += 1;
            }
            labels[sample.index()] = current;
        }
        clustering(x, &labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{PoolIdx, Streams};
    use ndarray::array;

    #[test]
    fn two_groups_and_a_stray() {
        let x = Embeddings::new(array![[0.0], [0.1], [0.2], [5.0], [5.1], [5.2], [50.0]]).unwrap();
        let rng = &mut Streams::new(0).named("t");
        let found = Optics { min_points: 2, eps: Some(0.15) }.cluster(&x, rng).unwrap();
        assert_eq!((found.regions.len(), found.regions.noise()), (2, 1));
        assert_eq!(found.regions.of(PoolIdx(0)), found.regions.of(PoolIdx(2)));
        assert!(Optics { min_points: 0, eps: None }.cluster(&x, rng).is_err());
    }
}
