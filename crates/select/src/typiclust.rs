use crate::candidates::{Candidates, CollectSelection, in_id_order, required, units_in_id_order};
use crate::{Estimate, SelectError, Size, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};
use hybridrepair_kernels::{KMeansParams, Units, kmeans, neighbors};
use rayon::prelude::*;
use std::collections::HashMap;

/// `TypiClust` (Hacohen et al., ICML 2022): the most typical sample of each cluster of embeddings.
///
/// `K = min(labelled + budget, max_clusters)` k-means clusters on embeddings of unit length. Always the cluster with the
/// fewest labelled samples is next, the largest of those; clusters of at most 5 samples come last. Its pick has the
/// largest typicality, `1 / mean distance to its k nearest` in the cluster, `k = min(20, size / 2)`. Budgets above the
/// number of clusters go round again. The clusters depend on the budget, so a smaller one gives other picks.
///
/// Cost: k-means with `K` clusters, and `O(size^2 d)` for each cluster. Score: the typicality.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Streams};
/// use hybridrepair_select::{Strategy, TypiClust};
/// let x = ndarray::Array2::from_shape_fn((12, 2), |(i, j)| if (i < 6) == (j == 0) { 1.0 } else { 0.01 * (i % 6) as f32 });
/// let evidence = Evidence { embeddings: Some(Embeddings::new(x)?), ..Evidence::default() };
/// let rng = &mut Streams::new(0).named("select");
/// let picked = TypiClust::default().select(&Pool::counted(12), &evidence, 2, rng)?;
/// assert!(picked.picks.iter().any(|p| p.idx.row() < 6) && picked.picks.iter().any(|p| p.idx.row() >= 6));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TypiClust {
    /// Most clusters (published: 500).
    pub max_clusters: usize,
}

impl Default for TypiClust {
    fn default() -> Self {
        Self { max_clusters: 500 }
    }
}

/// Clusters of at most so many samples are visited last.
const SMALL: usize = 5;
/// Neighbours of typicality at most.
const NEIGHBORS: usize = 20;

/// One cluster, by positions in the list of all samples in id order.
#[derive(Default)]
struct Cluster {
    members: Vec<usize>,
    labelled: usize,
    /// Unlabelled members with their typicality, the best last.
    queue: Vec<(f64, usize)>,
}

impl Strategy for TypiClust {
    fn name(&self) -> &'static str {
        "typiclust"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Embeddings])
    }

    fn cost(&self, size: &Size) -> Estimate {
        let k = (size.budget + size.known).clamp(1, self.max_clusters.max(1)) as f64;
        let (n, d) = (size.n as f64, size.dim as f64);
        // neighbours within clusters of about equal size
        let within = Estimate {
            bytes: 2.0 * Units::bytes(n, d) + 4.0 * n * d,
            products: n * (n / k) * (2.0 * d + 8.0),
            read: 0.0,
        };
        Estimate::kmeans(size, k as usize).and(within)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let embeddings = required(evidence.embeddings.as_ref(), self, Need::Embeddings)?;
        if self.max_clusters == 0 {
            return Err(SelectError::parameter(self, "max_clusters", 0.0, "leaves no cluster"));
        }
        if candidates.take() == 0 {
            return Ok(Selection::default());
        }
        let all = in_id_order(pool);
        let x = units_in_id_order(embeddings, pool)?;
        let k = (evidence.known.len() + candidates.take()).min(self.max_clusters).min(x.len());
        let found = kmeans(x.points(), &KMeansParams::new(k), rng)?;
        let mut clusters: Vec<Cluster> = (0..found.k()).map(|_| Cluster::default()).collect();
        for (at, &c) in found.labels.iter().enumerate() {
            let cluster = &mut clusters[c as usize];
            cluster.members.push(at);
            cluster.labelled += usize::from(evidence.known.contains(all[at]));
        }

        // as many clusters as labels: nearly all are visited
        clusters.par_iter_mut().try_for_each(|cluster| {
            cluster.queue = by_typicality(&x, &cluster.members, |at| evidence.known.contains(all[at]))?;
            Ok::<_, SelectError>(())
        })?;

        let positions = candidates.positions();
        let mut picks = Vec::with_capacity(candidates.take());
        while picks.len() < candidates.take() {
            let Some(cluster) = next(&mut clusters) else { break };
            let size = cluster.members.len();
            let Some((typicality, at)) = cluster.queue.pop() else { continue };
            cluster.labelled += 1;
            if let Some(pos) = positions[all[at].row()] {
                let reason = format!("typical ({typicality:.3}) of a cluster of {size} samples");
                picks.push(candidates.pick(picks.len(), pos, typicality, None, reason));
            }
        }
        Ok(picks.into_iter().collect_selection())
    }
}

/// The cluster to visit: fewest labels, then most members, then the lowest id; small ones last. `None` when all
/// samples are labelled.
fn next(clusters: &mut [Cluster]) -> Option<&mut Cluster> {
    let open = clusters.iter_mut().filter(|c| c.labelled < c.members.len());
    open.min_by_key(|c| {
        let size = c.members.len();
        (size <= SMALL, c.labelled, std::cmp::Reverse(size), c.members[0])
    })
}

/// The unlabelled members with their typicality, the best last and the lowest id last among equals.
fn by_typicality(
    x: &Units,
    members: &[usize],
    is_known: impl Fn(usize) -> bool,
) -> Result<Vec<(f64, usize)>, SelectError> {
    let k = (members.len() / 2).min(NEIGHBORS);
    let mut scores: HashMap<usize, f64> = HashMap::new();
    if k > 0 {
        let rows = x.subset(members)?;
        let near = neighbors(rows.points(), k)?;
        for (i, &at) in members.iter().enumerate() {
            let mean = near.of(i).1.iter().map(|d2| d2.sqrt()).sum::<f64>() / k as f64;
            // duplicates are at distance 0
            scores.insert(at, 1.0 / (mean + 1e-5));
        }
    }
    let free = members.iter().copied().filter(|&at| !is_known(at));
    let mut queue: Vec<(f64, usize)> = free.map(|at| (scores.get(&at).copied().unwrap_or(0.0), at)).collect();
    queue.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    Ok(queue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, Embeddings, PoolIdx, Streams};
    use ndarray::Array2;

    /// Three directions of 10, 20 and 30 samples, spread around the first sample of each.
    fn evidence() -> Evidence {
        let x = Array2::from_shape_fn((60, 3), |(i, j)| {
            let (group, first) = if i < 10 {
                (0, 0)
            } else if i < 30 {
                (1, 10)
            } else {
                (2, 30)
            };
            let side = if (i - first) % 2 == 0 { 1.0 } else { -1.0 };
            if j == group { 1.0 } else { side * 0.002 * (i - first) as f32 }
        });
        Evidence { embeddings: Some(Embeddings::new(x).unwrap()), ..Evidence::default() }
    }

    fn groups(evidence: &Evidence, budget: usize) -> Vec<usize> {
        let rng = &mut Streams::new(3).named("s");
        let picked = TypiClust { max_clusters: 3 }.select(&Pool::counted(60), evidence, budget, rng).unwrap();
        let group = |row: usize| if row < 10 { 0 } else { 1 + usize::from(row >= 30) };
        picked.rows().iter().map(|idx| group(idx.row())).collect()
    }

    #[test]
    fn large_clusters_first_and_round_again() {
        assert_eq!(groups(&evidence(), 7), [2, 1, 0, 2, 1, 0, 2]);
    }

    #[test]
    fn a_cluster_with_a_label_waits() {
        let mut e = evidence();
        e.known.insert_bought(PoolIdx(40), ClassId(0));
        assert_eq!(groups(&e, 4), [1, 0, 2, 1]);
    }
}
