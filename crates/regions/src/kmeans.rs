use crate::centers::{members, nearest_in_pool};
use crate::{Center, Clusterer, Clustering, RegionError, medoids};
use hybridrepair_core::{Embeddings, Regions, Stream};
use hybridrepair_kernels::{KMeansParams, kmeans};

/// k-means: `k` regions without noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KMeans {
    /// Number of clusters and how to find them.
    pub params: KMeansParams,
    /// Which sample speaks for a region.
    pub center: Center,
}

impl KMeans {
    /// `k` regions with their medoids, one start.
    pub fn new(k: usize) -> Self {
        Self { params: KMeansParams::new(k), center: Center::Medoid }
    }
}

impl Clusterer for KMeans {
    fn name(&self) -> &'static str {
        "kmeans"
    }

    fn cluster(&self, x: &Embeddings, rng: &mut Stream) -> Result<Clustering, RegionError> {
        let found = kmeans(x.into(), &self.params, rng)?;
        let labels = found.labels.iter().map(|&c| Some(c)).collect::<Vec<_>>();
        let centers = match self.center {
            Center::Medoid => medoids(x, &members(&labels, found.k())),
            Center::NearestInPool => nearest_in_pool(x, found.points())?,
        };
        Ok(Clustering { regions: Regions::from_labels(&labels, &centers)?, note: fewer(found.k(), self.params.k) })
    }
}

/// Says so when duplicates left fewer regions than asked.
pub(crate) fn fewer(found: usize, asked: usize) -> Option<String> {
    (found < asked).then(|| format!("{found} regions instead of {asked}: there are no more distinct points"))
}
