use crate::candidates::{Candidates, CollectSelection, required};
use crate::{Estimate, SelectError, Size, Strategy, plus_plus::plus_plus};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};
use hybridrepair_kernels::{KMeans, KMeansParams, Points, squared_distance, weighted_kmeans};
use rand::Rng;
use rayon::prelude::*;

/// CLUE (Prabhu et al., ICCV 2021): the samples nearest to the centroids of `B` clusters of k-means in which
/// every sample weighs as much as its entropy, on raw penultimate features.
///
/// Seeds are drawn by k-means++ with the weighted squared distances, then Lloyd's passes move each centre to the weighted
/// mean of its members until the centres stand still (together they move less than 1e-4 of the variance of a column).
/// Each cluster gives its member nearest to the centre. Clusters stand in descending order of their summed entropy.
/// Depends on the budget; where there are fewer clusters than `B` (too few samples with entropy), the most uncertain of
/// the rest fill up. With entropies that are all 0 every sample weighs the same.
///
/// `O(n B D)` in the first pass, less in the later ones. Memory is a copy of the features.
/// Score: the cluster's summed entropy in bits; for a filled-up pick its own entropy.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{Clue, Strategy};
/// // two groups; the second one is uncertain at its right end, which draws the centroid there
/// let evidence = Evidence {
///     probs: Some(Probs::new(ndarray::array![[0.9, 0.1], [0.9, 0.1], [0.99, 0.01], [0.9, 0.1], [0.5, 0.5]])?),
///     features: Some(Embeddings::new(ndarray::array![[0.0], [0.1], [10.0], [11.0], [12.0]])?),
///     ..Evidence::default()
/// };
/// let picked = Clue::default().select(&Pool::counted(5), &evidence, 1, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.picks[0].idx.row(), 2, "the weighted mean of all is 8.8");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clue {
    /// Passes at most.
    pub max_iter: usize,
}

impl Default for Clue {
    fn default() -> Self {
        Self { max_iter: 100 }
    }
}

impl Strategy for Clue {
    fn name(&self) -> &'static str {
        "clue"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs, Need::Features])
    }

    fn cost(&self, size: &Size) -> Estimate {
        let (n, d, b) = (size.n as f64, size.features as f64, size.budget as f64);
        Estimate { bytes: 4.0 * n * d + 16.0 * b * d + 100.0 * n, products: 30.0 * n * b * (2.0 * d + 4.0), read: 0.0 }
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let probs = required(evidence.probs.as_ref(), self, Need::Probs)?;
        let features = required(evidence.features.as_ref(), self, Need::Features)?;
        let take = candidates.take();
        if take == 0 {
            return Ok(Selection::default());
        }
        let rows: Vec<u32> = candidates.rows().iter().map(|idx| idx.row() as u32).collect();
        let x = Points::of_rows(features, &rows)?;
        let entropy = candidates.score(|row| probs.entropy(row).max(0.0)); // rounded probabilities may be above 1
        let certain = entropy.iter().all(|&h| h <= 0.0);
        let weights = if certain { vec![1.0; x.len()] } else { entropy.clone() };

        let found = self.cluster(x, &weights, take, rng)?;
        let points = found.points();
        let near = |pos: usize| squared_distance(&x.row(pos), &points.row(found.labels[pos] as usize));
        let near: Vec<f64> = (0..x.len()).into_par_iter().map(near).collect();
        let mut clusters = vec![Cluster::default(); found.k()];
        for (pos, (&c, &squared)) in found.labels.iter().zip(&near).enumerate() {
            clusters[c as usize].join(pos, entropy[pos], squared);
        }
        clusters.sort_by(|a, b| b.entropy.total_cmp(&a.entropy).then(a.nearest.cmp(&b.nearest)));
        let mut free = vec![true; x.len()];
        let mut picks = Vec::with_capacity(take);
        for cluster in &clusters {
            free[cluster.nearest] = false;
            let reason = format!(
                "centre of a cluster of {} samples of summed entropy {:.3} bits",
                cluster.size, cluster.entropy
            );
            picks.push(candidates.pick(picks.len(), cluster.nearest, cluster.entropy, None, reason));
        }
        let mut rest: Vec<usize> = (0..x.len()).filter(|&pos| free[pos]).collect();
        rest.sort_by(|&a, &b| entropy[b].total_cmp(&entropy[a]));
        for &pos in rest.iter().take(take - picks.len()) {
            let reason = format!("more labels than clusters: entropy {:.3} bits", entropy[pos]);
            picks.push(candidates.pick(picks.len(), pos, entropy[pos], None, reason));
        }
        Ok(picks.into_iter().collect_selection())
    }
}

/// One cluster of candidates.
#[derive(Clone, Copy, Default)]
struct Cluster {
    size: usize,
    entropy: f64,
    nearest: usize,
    squared: f64,
}

impl Cluster {
    fn join(&mut self, pos: usize, entropy: f64, squared: f64) {
        if self.size == 0 || squared < self.squared {
            (self.nearest, self.squared) = (pos, squared);
        }
        self.size += 1;
        self.entropy += entropy;
    }
}

impl Clue {
    /// Weighted k-means from weighted seeds.
    fn cluster(self, x: Points<'_>, weights: &[f64], k: usize, rng: &mut Stream) -> Result<KMeans, SelectError> {
        let at = rng.r#gen::<f64>() * weights.iter().sum::<f64>();
        let mut sum = 0.0;
        let first = weights.iter().position(|w| {
            sum += w;
            sum > at
        });
        let dist2 = |pos: usize, center: usize| weights[pos] * squared_distance(&x.row(pos), &x.row(center));
        let seeds = plus_plus(x.len(), first.unwrap_or(0), k, dist2, rng);
        let seeds: Vec<u32> = seeds.iter().map(|&(pos, _)| pos as u32).collect();
        let params = KMeansParams { max_iter: self.max_iter, ..KMeansParams::new(k) };
        Ok(weighted_kmeans(x, weights, &seeds, &params)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Embeddings, Probs, Streams};
    use ndarray::{Array2, array};

    fn run(features: Array2<f32>, first: &[f32], budget: usize) -> Selection {
        let probs = Array2::from_shape_fn((first.len(), 2), |(i, c)| if c == 0 { first[i] } else { 1.0 - first[i] });
        let evidence = Evidence {
            probs: Some(Probs::new(probs).unwrap()),
            features: Some(Embeddings::new(features).unwrap()),
            ..Evidence::default()
        };
        Clue::default().select(&Pool::counted(first.len()), &evidence, budget, &mut Streams::new(0).named("s")).unwrap()
    }

    #[test]
    fn separate_groups_give_their_middles_most_uncertain_first() {
        let features = array![[0.0], [1.0], [2.0], [100.0], [101.0], [102.0], [200.0], [201.0], [202.0]];
        let picked = run(features, &[0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.99, 0.99, 0.99], 3);
        assert_eq!(picked.rows().iter().map(|i| i.row()).collect::<Vec<_>>(), [4, 1, 7]);
        assert!((picked.picks[0].score - 3.0).abs() < 1e-6);
    }

    #[test]
    fn weights_move_the_centre() {
        // weighted mean of 0 (weight 1) and 10 (weight about 0): at 0
        let picked = run(array![[0.0], [4.0], [10.0]], &[0.5, 1.0, 1.0], 1);
        assert_eq!(picked.rows()[0].row(), 0);
        // all certain: the plain mean is 4.7
        assert_eq!(run(array![[0.0], [4.0], [10.0]], &[1.0, 1.0, 1.0], 1).rows()[0].row(), 1);
    }

    #[test]
    fn duplicates_come_by_their_entropy() {
        let picked = run(array![[1.0], [1.0], [1.0], [2.0]], &[0.9, 0.6, 0.8, 0.7], 4);
        assert_eq!(picked.rows().iter().map(|i| i.row()).collect::<Vec<_>>(), [1, 3, 2, 0]);
    }

    #[test]
    fn a_probability_rounded_above_one_weighs_nothing() {
        let features = array![[0.0], [1.0], [2.0]];
        let probs = Probs::new(array![[1.000_000_1, 0.0], [0.5, 0.5], [0.9, 0.1]]).unwrap();
        let evidence =
            Evidence { probs: Some(probs), features: Some(Embeddings::new(features).unwrap()), ..Evidence::default() };
        let rng = &mut Streams::new(0).named("s");
        assert_eq!(Clue::default().select(&Pool::counted(3), &evidence, 1, rng).unwrap().rows()[0].row(), 1);
    }

    #[test]
    fn fewer_uncertain_samples_than_labels_are_filled_up() {
        let picked = run(array![[0.0], [1.0], [2.0], [9.0]], &[1.0, 0.6, 1.0, 1.0], 3);
        let rows: Vec<usize> = picked.rows().iter().map(|i| i.row()).collect();
        assert_eq!(rows[0], 1, "{rows:?}");
        assert_eq!(rows.iter().collect::<std::collections::HashSet<_>>().len(), 3);
    }
}
