use crate::{Center, Clusterer, Dbscan, Gmm, Hdbscan, Hybrid, KMeans, KMeansLinfa, Optics, RegionError};
use hybridrepair_kernels::KMeansParams;

/// The parameters of all clusterers; each takes those it knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterOptions {
    /// Number of regions (k-means, Gaussian mixture).
    pub k: usize,
    /// Labels that will be bought (hybrid).
    pub budget: usize,
    /// Samples per region aimed at (hybrid).
    pub average_size: usize,
    /// Fewest samples of a cluster (HDBSCAN, hybrid).
    pub min_cluster_size: usize,
    /// Samples that a core distance reaches, the sample itself counted (all density methods).
    pub min_samples: usize,
    /// Radius (DBSCAN, OPTICS); `None` estimates one.
    pub eps: Option<f64>,
    /// Which sample speaks for a region (k-means, hybrid).
    pub center: Center,
    /// Starts of k-means (k-means, hybrid).
    pub restarts: usize,
}

impl ClusterOptions {
    /// Defaults for a pool of `n` samples and a budget: the published values, with medoids as centres, and
    /// `k = max(n / 10, budget)` where a number of regions is asked for.
    pub fn new(n: usize, budget: usize) -> Self {
        Self {
            k: (n / 10).max(budget).clamp(1, n.max(1)),
            budget,
            average_size: 10,
            min_cluster_size: 5,
            min_samples: 3,
            eps: None,
            center: Center::Medoid,
            restarts: 1,
        }
    }
}

type Make = fn(&ClusterOptions) -> Box<dyn Clusterer>;

/// One line per clusterer: name, one sentence, constructor.
const ALL: [(&str, &str, Make); 7] = [
    ("hybrid", "HDBSCAN's noise left out, k-means on the rest (HybridRepair)", |o| {
        let noise = Hdbscan { min_cluster_size: o.min_cluster_size, min_samples: o.min_samples, ..Hdbscan::default() };
        let ClusterOptions { average_size, budget, center, restarts, .. } = *o;
        Box::new(Hybrid { noise, average_size, budget, center, restarts })
    }),
    ("kmeans", "k-means with greedy k-means++ seeding", |o| {
        Box::new(KMeans { params: KMeansParams { restarts: o.restarts, ..KMeansParams::new(o.k) }, center: o.center })
    }),
    ("hdbscan", "density clusters of any shape, the rest is noise", |o| {
        Box::new(Hdbscan { min_cluster_size: o.min_cluster_size, min_samples: o.min_samples, ..Hdbscan::default() })
    }),
    ("dbscan", "density clusters at one radius (linfa)", |o| {
        Box::new(Dbscan { min_points: o.min_samples, eps: o.eps })
    }),
    ("optics", "density ordering cut at one reachability (linfa)", |o| {
        Box::new(Optics { min_points: o.min_samples, eps: o.eps })
    }),
    ("gmm", "mixture of Gaussians (linfa)", |o| Box::new(Gmm::new(o.k))),
    ("kmeans-linfa", "k-means from our seeding (linfa)", |o| Box::new(KMeansLinfa::new(o.k))),
];

/// Names and one sentence of all clusterers.
pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|&(name, what, _)| (name, what))
}

/// The clusterer of a name.
///
/// # Errors
/// When there is none; the error lists the names there are.
pub fn by_name(name: &str, options: &ClusterOptions) -> Result<Box<dyn Clusterer>, RegionError> {
    let found = ALL.iter().find(|(known, ..)| *known == name);
    found.map(|(_, _, make)| make(options)).ok_or_else(|| RegionError::Unknown {
        given: name.to_owned(),
        known: names().map(|n| n.0).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Embeddings, Streams};
    use ndarray::Array2;
    use rand::Rng;

    #[test]
    fn every_clusterer_bears_its_name_and_survives_hostile_pools() {
        let mut rng = Streams::new(3).named("t");
        let random = Array2::from_shape_fn((50, 3), |_| rng.r#gen::<f32>());
        let pools = [
            random,
            Array2::from_elem((1, 2), 1.0),
            Array2::from_elem((20, 2), 7.5),
            Array2::from_shape_fn((20, 1), |(i, _)| (i % 2) as f32),
            Array2::from_shape_fn((20, 2), |(i, j)| (i * j) as f32 * 1e37),
            Array2::from_shape_fn((20, 2), |(i, j)| (i + j) as f32 * 1e-38),
        ];
        for (name, _) in names() {
            for pool in &pools {
                let x = Embeddings::new(pool.clone()).unwrap();
                let clusterer = by_name(name, &ClusterOptions::new(x.len(), 2.min(x.len()))).unwrap();
                assert_eq!(clusterer.name(), name);
                if let Ok(found) = clusterer.cluster(&x, &mut rng) {
                    assert_eq!(found.regions.pool_len(), x.len());
                }
            }
        }
        assert!(by_name("kmean", &ClusterOptions::new(5, 1)).err().unwrap().to_string().contains("kmeans, hdbscan"));
    }
}
