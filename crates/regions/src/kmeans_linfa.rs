use crate::foreign::{clustering, wide};
use crate::kmeans::fewer;
use crate::{Clusterer, Clustering, RegionError};
use hybridrepair_core::{Embeddings, Stream};
use hybridrepair_kernels::seed_centers;
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::{KMeans, KMeansInit};
use linfa_nn::distance::L2Dist;
use ndarray::Array2;

/// k-means by linfa from our seeding: a second opinion on [`KMeans`](crate::KMeans), about a hundred times slower at
/// thousands of clusters. (linfa's own seeding would take minutes more.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KMeansLinfa {
    /// Number of clusters.
    pub k: usize,
    /// Passes at most.
    pub max_iter: u64,
}

impl KMeansLinfa {
    /// `k` clusters, 300 passes at most.
    pub fn new(k: usize) -> Self {
        Self { k, max_iter: 300 }
    }
}

impl Clusterer for KMeansLinfa {
    fn name(&self) -> &'static str {
        "kmeans-linfa"
    }

    fn cluster(&self, x: &Embeddings, rng: &mut Stream) -> Result<Clustering, RegionError> {
        if self.max_iter == 0 {
            return Err(RegionError::Parameter { what: "max_iter", given: 0.0, expected: "at least 1".into() });
        }
        let seeds = seed_centers(x.into(), self.k, rng)?.chosen;
        let data = wide(x);
        let start = Array2::from_shape_fn((seeds.len(), x.dim()), |(c, j)| data[[seeds[c] as usize, j]]);
        let data = DatasetBase::from(data);
        let params = KMeans::params_with(seeds.len(), rng.clone(), L2Dist)
            .n_runs(1)
            .max_n_iterations(self.max_iter)
            .init_method(KMeansInit::Precomputed(start));
        let model = params.fit(&data).map_err(|e| RegionError::Foreign { name: "kmeans-linfa", why: e.to_string() })?;
        let labels = model.predict(&data);
        let found = clustering(x, &labels.iter().map(|&l| Some(l)).collect::<Vec<_>>())?;
        let note = fewer(found.regions.len(), self.k);
        Ok(Clustering { note, ..found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::ari;
    use hybridrepair_core::{RegionId, Streams};
    use rand::Rng;

    #[test]
    fn it_agrees_with_ours_on_clear_groups() {
        let mut rng = Streams::new(0).named("t");
        let at = |(i, j): (usize, usize)| {
            ((i % 12) * (j + 1) % 7) as f32 * 9.0 + ((i % 12) as f32) * 4.0 + rng.r#gen::<f32>()
        };
        let x = Embeddings::new(Array2::from_shape_fn((240, 4), at)).unwrap();
        let rng = &mut Streams::new(1).named("t");
        let labels = |c: &dyn Clusterer, rng: &mut Stream| {
            let found = c.cluster(&x, rng).unwrap().regions;
            found.labels().iter().map(|l| l.map(|RegionId(r)| r)).collect::<Vec<_>>()
        };
        let (a, b) = (labels(&KMeansLinfa::new(12), rng), labels(&crate::KMeans::new(12), rng));
        assert_eq!(ari(&a, &b).unwrap(), 1.0);
        assert!(KMeansLinfa::new(0).cluster(&x, rng).is_err());
        assert!(KMeansLinfa::new(500).cluster(&x, rng).is_err());
    }
}
