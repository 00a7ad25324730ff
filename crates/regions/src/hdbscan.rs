use crate::centers::regions_of;
use crate::condense::excess_of_mass;
use crate::{Clusterer, Clustering, RegionError, Ties};
use hybridrepair_core::{Embeddings, Stream};
use hybridrepair_kernels::{mutual_reachability_path, mutual_reachability_tree};

/// HDBSCAN (Campello, Moulavi and Sander 2013) by an exact minimum spanning tree, clusters by excess of mass.
///
/// The root is never a cluster. The core distance counts the point itself, as the Python package `hdbscan` did when the
/// published method pinned it (0.8.27) and as scikit-learn does; later releases of that package do not count it, so that
/// their `min_samples = 2` is 3 here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hdbscan {
    /// Fewest points of a cluster, at least 2.
    pub min_cluster_size: usize,
    /// The core distance reaches the `min_samples`-th nearest point, the point itself counted.
    pub min_samples: usize,
    /// What happens to edges of equal weight.
    pub ties: Ties,
}

impl Default for Hdbscan {
    /// The values of the published method.
    fn default() -> Self {
        Self { min_cluster_size: 5, min_samples: 3, ties: Ties::InOrder }
    }
}

impl Hdbscan {
    /// The cluster of each row, `None` for noise, clusters numbered from 0.
    ///
    /// A pool with fewer rows than `min_samples` is all noise.
    ///
    /// # Errors
    /// When `min_cluster_size` is below 2 or `min_samples` is 0.
    pub fn labels(&self, x: &Embeddings) -> Result<Vec<Option<u32>>, RegionError> {
        for (what, given, least) in
            [("min_cluster_size", self.min_cluster_size, 2), ("min_samples", self.min_samples, 1)]
        {
            if given < least {
                let expected = format!("at least {least}");
                return Err(RegionError::Parameter { what, given: given as f64, expected });
            }
        }
        if x.len() < self.min_samples {
            return Ok(vec![None; x.len()]);
        }
        let edges = match self.ties {
            Ties::InOrder => mutual_reachability_path(x.into(), self.min_samples)?,
            Ties::Together => mutual_reachability_tree(x.into(), self.min_samples)?,
        };
        Ok(excess_of_mass(x.len(), &edges, self.min_cluster_size, self.ties))
    }
}

impl Clusterer for Hdbscan {
    fn name(&self) -> &'static str {
        "hdbscan"
    }

    fn cluster(&self, x: &Embeddings, _rng: &mut Stream) -> Result<Clustering, RegionError> {
        let labels = self.labels(x)?;
        let k = labels.iter().flatten().max().map_or(0, |&c| c as usize + 1);
        let note = (k == 0).then(|| "HDBSCAN calls every sample noise".to_owned());
        Ok(Clustering { regions: regions_of(x, &labels, k)?, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use ndarray::Array2;
    use rand::Rng;

    /// Groups of these sizes, small ones (strays) far from all others.
    fn groups(sizes: &[usize], spread: f32) -> Embeddings {
        let mut rng = Streams::new(1).named("t");
        let place = |(g, &n): (usize, &usize)| std::iter::repeat_n(if n < 5 { 50 * g } else { g }, n);
        let rows = sizes.iter().enumerate().flat_map(place).collect::<Vec<_>>();
        let at = |(i, j): (usize, usize)| (rows[i] * (j + 1)) as f32 * 10.0 + rng.r#gen::<f32>() * spread;
        Embeddings::new(Array2::from_shape_fn((rows.len(), 3), at)).unwrap()
    }

    #[test]
    fn groups_are_found_and_strays_are_noise() {
        let x = groups(&[20, 30, 1, 10, 2], 1.0);
        let labels = Hdbscan::default().labels(&x).unwrap();
        let one = |r: std::ops::Range<usize>| {
            assert!(labels[r.clone()].iter().all(|&l| l == labels[r.start]), "{labels:?}");
            labels[r.start]
        };
        assert_eq!(one(50..51), None);
        assert_eq!(one(61..63), None);
        let mut found = [one(0..20), one(20..50), one(51..61)];
        found.sort_unstable();
        assert_eq!(found, [Some(0), Some(1), Some(2)]);
        let found = Hdbscan::default().cluster(&x, &mut Streams::new(0).named("r")).unwrap();
        assert_eq!((found.regions.len(), found.regions.noise(), found.note), (3, 3, None));
    }

    #[test]
    fn duplicates_have_infinite_density_and_no_nan() {
        // two groups of 12 equal points, and the same with a few others
        let x = groups(&[12, 12], 0.0);
        let labels = Hdbscan::default().labels(&x).unwrap();
        assert!(labels.iter().all(Option::is_some));
        assert_ne!(labels[0], labels[12]);
        // every point equal: the root is never a cluster, and its children are born at infinite density
        let same = Embeddings::new(Array2::from_elem((40, 2), 3.25)).unwrap();
        assert_eq!(Hdbscan::default().labels(&same).unwrap().len(), 40);
    }

    #[test]
    fn tiny_pools_are_noise_and_bad_parameters_are_refused() {
        for n in 1..5 {
            let labels = Hdbscan::default().labels(&groups(&[n], 1.0)).unwrap();
            assert_eq!(labels, vec![None; n]);
        }
        let x = groups(&[9], 1.0);
        assert!(Hdbscan { min_cluster_size: 1, ..Hdbscan::default() }.labels(&x).is_err());
        assert!(Hdbscan { min_samples: 0, ..Hdbscan::default() }.labels(&x).is_err());
    }
}
