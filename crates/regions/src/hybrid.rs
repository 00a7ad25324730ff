use crate::centers::{members, nearest_in_pool};
use crate::kmeans::fewer;
use crate::{Center, Clusterer, Clustering, Hdbscan, RegionError, medoids};
use hybridrepair_core::{Embeddings, Regions, Stream};
use hybridrepair_kernels::{KMeansParams, kmeans};

/// The published clustering of `HybridRepair` (Li et al. 2022): HDBSCAN only for its noise, k-means on the rest.
///
/// Rows are brought to length 1. `k = max(floor(n' / average_size), min(budget, n'))` regions are made of the `n'` rows
/// that are not noise. When HDBSCAN calls all of them noise, k-means runs on the whole pool and a note says so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hybrid {
    /// How noise is found.
    pub noise: Hdbscan,
    /// Samples per region aimed at.
    pub average_size: usize,
    /// Labels that will be bought: at least as many regions are made.
    pub budget: usize,
    /// Which sample speaks for a region.
    pub center: Center,
    /// Starts of k-means.
    pub restarts: usize,
}

impl Hybrid {
    /// The published setting, but for one start of k-means instead of ten.
    pub fn published(budget: usize) -> Self {
        Self { noise: Hdbscan::default(), average_size: 10, budget, center: Center::NearestInPool, restarts: 1 }
    }

    /// The published setting with the centre among the members of its region.
    pub fn corrected(budget: usize) -> Self {
        Self { center: Center::Medoid, ..Self::published(budget) }
    }
}

impl Clusterer for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    fn cluster(&self, x: &Embeddings, rng: &mut Stream) -> Result<Clustering, RegionError> {
        if self.average_size == 0 {
            let expected = "at least 1".into();
            return Err(RegionError::Parameter { what: "average_size", given: 0.0, expected });
        }
        let x = x.normalized();
        let mask = self.noise.labels(&x)?;
        let kept = (0..x.len()).filter(|&i| mask[i].is_some()).collect::<Vec<_>>();
        let (kept, note) = if kept.is_empty() {
            let note = "HDBSCAN calls every sample noise: k-means runs on the whole pool".to_owned();
            ((0..x.len()).collect(), Some(note))
        } else {
            (kept, None)
        };
        let n = kept.len();
        let k = (n / self.average_size).max(self.budget.min(n)).max(1);
        let rest = x.select(&kept)?;
        let params = KMeansParams { restarts: self.restarts, ..KMeansParams::new(k) };
        let found = kmeans((&rest).into(), &params, rng)?;
        let mut labels = vec![None; x.len()];
        for (&i, &c) in kept.iter().zip(&found.labels) {
            labels[i] = Some(c);
        }
        let centers = match self.center {
            Center::NearestInPool => nearest_in_pool(&x, found.points())?,
            Center::Medoid => medoids(&x, &members(&labels, found.k())),
        };
        let notes = note.into_iter().chain(fewer(found.k(), k)).collect::<Vec<_>>();
        Ok(Clustering {
            regions: Regions::from_labels(&labels, &centers)?,
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{PoolIdx, Streams};
    use ndarray::Array2;
    use rand::Rng;

    fn blobs(n: usize, groups: usize, spread: f32) -> Embeddings {
        let mut rng = Streams::new(2).named("t");
        let means = Array2::from_shape_fn((groups, 6), |_| rng.r#gen::<f32>() - 0.5);
        let at = |(i, j): (usize, usize)| means[[i % groups, j]] + spread * (rng.r#gen::<f32>() - 0.5);
        Embeddings::new(Array2::from_shape_fn((n, 6), at)).unwrap()
    }

    #[test]
    fn regions_follow_the_formula_and_leave_noise_out() {
        let x = blobs(600, 20, 0.1);
        let mut rng = Streams::new(0).named("cluster");
        for budget in [1, 50, 100] {
            for hybrid in [Hybrid::published(budget), Hybrid::corrected(budget)] {
                let mask = hybrid.noise.labels(&x.normalized()).unwrap();
                let found = hybrid.cluster(&x, &mut rng).unwrap();
                let kept = 600 - found.regions.noise();
                assert_eq!(found.regions.noise(), mask.iter().filter(|m| m.is_none()).count());
                assert_eq!(found.regions.len(), (kept / 10).max(budget.min(kept)));
                assert_eq!(found.note, None);
                for (_, region) in found.regions.iter() {
                    let inside = region.members.contains(&region.center);
                    assert!(inside || hybrid.center == Center::NearestInPool);
                }
            }
        }
    }

    #[test]
    fn all_noise_falls_back_to_the_whole_pool_and_says_so() {
        let x = blobs(4, 4, 0.1);
        let found = Hybrid::corrected(2).cluster(&x, &mut Streams::new(0).named("c")).unwrap();
        assert_eq!((found.regions.len(), found.regions.noise()), (2, 0));
        assert!(found.note.unwrap().contains("noise"));
        let one = blobs(1, 1, 0.1);
        let found = Hybrid::published(5).cluster(&one, &mut Streams::new(0).named("c")).unwrap();
        assert_eq!(found.regions.get(hybridrepair_core::RegionId(0)).members, [PoolIdx(0)]);
    }

    #[test]
    fn equal_rows_make_one_region_with_a_note() {
        let x = Embeddings::new(Array2::from_elem((30, 3), 2.0)).unwrap();
        let found = Hybrid::corrected(7).cluster(&x, &mut Streams::new(0).named("c")).unwrap();
        assert_eq!(found.regions.len(), 1);
        assert!(found.note.is_some());
        assert!(
            Hybrid { average_size: 0, ..Hybrid::corrected(1) }.cluster(&x, &mut Streams::new(0).named("c")).is_err()
        );
    }
}
