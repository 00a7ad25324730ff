use crate::lloyd::Lloyd;
use crate::seeding::{Packed, check_k};
use crate::{KernelError, Points};
use hybridrepair_core::Stream;

/// How k-means runs; the defaults are those of scikit-learn, but for one start instead of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KMeansParams {
    /// Number of clusters.
    pub k: usize,
    /// Lloyd passes at most.
    pub max_iter: usize,
    /// Stop when the squared shift of all centres together is at most this share of the mean variance of a column.
    pub tolerance: f64,
    /// Independent starts; the one with the lowest inertia is kept.
    pub restarts: usize,
}

impl KMeansParams {
    /// Defaults for `k` clusters.
    pub fn new(k: usize) -> Self {
        Self { k, max_iter: 300, tolerance: 1e-4, restarts: 1 }
    }
}

/// A clustering by k-means.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeans {
    /// Cluster centres, `k x d`; fewer than asked when there are fewer distinct points.
    pub centers: Vec<f32>,
    /// Columns.
    pub dim: usize,
    /// Cluster of each point; every cluster has a member.
    pub labels: Vec<u32>,
    /// Sum of the squared distances of the points to their centre, each times the point's weight.
    pub inertia: f64,
    /// Lloyd passes of the kept start.
    pub iterations: usize,
}

impl KMeans {
    /// Number of clusters.
    pub fn k(&self) -> usize {
        self.centers.len() / self.dim
    }

    /// The centres as points.
    pub fn points(&self) -> Points<'_> {
        Points::trusted(&self.centers, self.dim)
    }
}

/// k-means: greedy k-means++ seeding, then Lloyd's passes (Lloyd 1982) that skip what cannot change.
///
/// Distances are `f32`, centres are `f64` means. Clusters that lose their last member are seeded anew from the points
/// that lie farthest from their centres. Working memory: the packed points (the size of `x`) and `O(n + k d)`.
///
/// # Errors
/// When `k` is 0 or above the number of points, or `restarts` or `max_iter` is 0.
pub fn kmeans(x: Points<'_>, params: &KMeansParams, rng: &mut Stream) -> Result<KMeans, KernelError> {
    check_k(x, params.k)?;
    for (what, given) in [("restarts", params.restarts), ("max_iter", params.max_iter)] {
        if given == 0 {
            return Err(KernelError::Count { what, given, expected: "at least 1".into() });
        }
    }
    let packed = Packed::of(x);
    let run = |rng: &mut Stream| {
        let seeds = packed.seed(x, params.k, rng);
        Lloyd::start(x, &packed, seeds).run(params)
    };
    let mut best = run(rng);
    for _ in 1..params.restarts {
        let other = run(rng);
        if other.inertia < best.inertia {
            best = other;
        }
    }
    Ok(best)
}

/// k-means in which every point counts as its weight, from the rows `seeds` on: Lloyd's passes, as [`kmeans`] has them.
///
/// Each centre is the weighted mean of its members. Points without weight belong to a cluster and move nothing; where
/// only such points are left, a centre stays. `params.k` and `params.restarts` do not count here. There may be fewer
/// clusters than seeds: none is kept without members.
///
/// # Errors
/// When there is no seed or one beyond the points, when there are not as many weights as points, when one is negative
/// or not finite, when all are 0, or `max_iter` is 0.
pub fn weighted_kmeans(
    x: Points<'_>,
    weights: &[f64],
    seeds: &[u32],
    params: &KMeansParams,
) -> Result<KMeans, KernelError> {
    check_k(x, seeds.len())?;
    let count = |what, given, expected: String| Err(KernelError::Count { what, given, expected });
    if let Some(&seed) = seeds.iter().find(|&&seed| seed as usize >= x.len()) {
        return count("a seed", seed as usize, format!("a row below {}", x.len()));
    }
    if weights.len() != x.len() {
        return count("the number of weights", weights.len(), format!("the {} points", x.len()));
    }
    if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return count("the weight of a row", row, format!("at least 0 and finite, not {}", weights[row]));
    }
    if weights.iter().all(|&w| w <= 0.0) {
        return count("the number of points with weight", 0, "at least 1".into());
    }
    if params.max_iter == 0 {
        return count("max_iter", 0, "at least 1".into());
    }
    let packed = Packed::of(x);
    Ok(Lloyd::weighted(x, &packed, weights, seeds).run(params))
}
