use crate::candidates::{Candidates, CollectSelection, required};
use crate::{Estimate, SelectError, Size, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, PoolIdx, Selection, Stream};
use hybridrepair_kernels::{KMeansParams, Units, kmeans, squared_distances, top_k};
use ndarray::Array2;

/// Unsupervised selective labelling (USL: Wang, Lian and Yu, ECCV 2022): from each of `B` clusters of
/// k-means the sample that is dense and far from the picks of the other clusters, on embeddings of unit length.
///
/// Density is `U(x) = 1 / mean distance to the k nearest`. A pick maximises `U(x) - w R(x)` in its cluster, where
/// `R(x) = sum_s |x - s|^(-2a)` over the picks `s` of the other clusters within the horizon, kept as a running mean over
/// several sweeps. Known samples count as picks of other clusters. The clusters depend on the budget, so a smaller one
/// gives other picks; picks stand in descending order of their score.
///
/// Cost: k-means with `B` clusters, neighbours in `O(n^2 d)`, and `O(n B d)` per sweep. Score: `U - w R`; samples that fill
/// up where k-means finds fewer clusters than `B` (duplicates) have their `U`.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Streams};
/// use hybridrepair_select::{Strategy, Usl};
/// // two directions; the middle one of three close samples is the densest
/// let x = ndarray::array![[1.0, 0.1], [1.0, 0.0], [1.0, -0.1], [0.1, 1.0], [0.0, 1.0], [-0.1, 1.0]];
/// let evidence = Evidence { embeddings: Some(Embeddings::new(x)?), ..Evidence::default() };
/// let strategy = Usl { neighbors: 2, ..Usl::default() };
/// let picked = strategy.select(&Pool::counted(6), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// let mut rows: Vec<usize> = picked.rows().iter().map(|idx| idx.row()).collect();
/// rows.sort();
/// assert_eq!(rows, [1, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usl {
    /// Neighbours of the density, at least 1 (published: 400).
    pub neighbors: usize,
    /// Weight `w` of the other picks, not negative (published: 0.5).
    pub weight: f64,
    /// Exponent `a` of the squared distance to them, not negative (published: 0.5).
    pub power: f64,
    /// Squared distance from which on they do not count (published: 4, which is everything on the unit sphere).
    pub horizon: f64,
    /// Sweeps over all clusters (published: 10).
    pub sweeps: usize,
    /// Share of the last sweep's value that is kept, in [0, 1) (published: 0.9).
    pub momentum: f64,
}

impl Default for Usl {
    fn default() -> Self {
        Self { neighbors: 400, weight: 0.5, power: 0.5, horizon: 4.0, sweeps: 10, momentum: 0.9 }
    }
}

/// Added to mean and squared distances: duplicates are at 0.
const NEAREST: f64 = 1e-5;
/// Bytes of neighbours that are held at a time.
const NEIGHBOR_BYTES: usize = 256 << 20;
/// Rows whose distances to all picks are held at a time.
const ROWS: usize = 2048;

impl Strategy for Usl {
    fn name(&self) -> &'static str {
        "usl"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Embeddings])
    }

    fn cost(&self, size: &Size) -> Estimate {
        let (n, d, b) = (size.n as f64, size.dim as f64, (size.budget + size.known) as f64);
        let neighbors = Estimate {
            bytes: Units::bytes(n, d) + 4.0 * n * d + NEIGHBOR_BYTES as f64 + 64.0 * n,
            products: n * n * (2.0 * d + 8.0) + self.sweeps as f64 * n * b * (2.0 * d + 40.0),
            read: 0.0,
        };
        Estimate::kmeans(size, size.budget).and(neighbors)
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
        self.check()?;
        let take = candidates.take();
        if take == 0 {
            return Ok(Selection::default());
        }
        let x = Units::of(embeddings, candidates.rows().iter().map(|idx| idx.0).collect())?;
        let density = density(&x, self.neighbors)?;
        let found = kmeans(x.points(), &KMeansParams::new(take), rng)?;
        let mut known: Vec<PoolIdx> = evidence.known.iter().map(|label| label.idx).collect();
        known.sort_unstable_by_key(|&idx| pool.id(idx));
        let known = known.iter().map(|idx| idx.0).collect::<Vec<_>>();
        let known = if known.is_empty() { None } else { Some(Units::of(embeddings, known)?) };

        let mut scores = density.clone();
        let mut chosen = best_of_each(&found.labels, found.k(), &scores);
        let mut mean = vec![0f64; x.len()];
        for _ in 0..self.sweeps {
            let now = self.crowding(&x, &found.labels, &chosen, known.as_ref())?;
            for (at, now) in now.into_iter().enumerate() {
                mean[at] = self.momentum * mean[at] + (1.0 - self.momentum) * now;
                scores[at] = density[at] - self.weight * mean[at];
            }
            chosen = best_of_each(&found.labels, found.k(), &scores);
        }

        let mut sizes = vec![0usize; found.k()];
        found.labels.iter().for_each(|&c| sizes[c as usize] += 1);
        let mut free = vec![true; x.len()];
        let mut order = chosen;
        order.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        for &pos in &order {
            free[pos] = false;
        }
        let mut picks: Vec<_> = order
            .iter()
            .enumerate()
            .map(|(rank, &pos)| {
                let size = sizes[found.labels[pos] as usize];
                let words = format!("dense ({:.3}) in a cluster of {size} samples, away from the others", density[pos]);
                candidates.pick(rank, pos, scores[pos], None, words)
            })
            .collect();
        let mut rest: Vec<usize> = (0..x.len()).filter(|&pos| free[pos]).collect();
        rest.sort_by(|&a, &b| density[b].total_cmp(&density[a]));
        for &pos in rest.iter().take(take - picks.len()) {
            let words = format!("more labels than clusters: dense ({:.3})", density[pos]);
            picks.push(candidates.pick(picks.len(), pos, density[pos], None, words));
        }
        Ok(picks.into_iter().collect_selection())
    }
}

impl Usl {
    fn check(&self) -> Result<(), SelectError> {
        let not_negative = |value: f64| value >= 0.0 && value.is_finite();
        if self.neighbors == 0 {
            return Err(SelectError::parameter(self, "neighbors", 0.0, "leaves no neighbour"));
        }
        if !not_negative(self.weight) {
            return Err(SelectError::parameter(self, "weight", self.weight, "is not a finite number of at least 0"));
        }
        if !not_negative(self.power) {
            return Err(SelectError::parameter(self, "power", self.power, "is not a finite number of at least 0"));
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(SelectError::parameter(self, "momentum", self.momentum, "is not in [0, 1)"));
        }
        if self.horizon.is_nan() {
            return Err(SelectError::parameter(self, "horizon", self.horizon, "is not a number"));
        }
        Ok(())
    }

    /// `R` of each row: how close the picks of other clusters and the known samples are.
    fn crowding(
        &self,
        x: &Units,
        labels: &[u32],
        chosen: &[usize],
        known: Option<&Units>,
    ) -> Result<Vec<f64>, SelectError> {
        let picks = x.subset(chosen)?;
        let of = |squared: f32| {
            let squared = f64::from(squared);
            if squared < self.horizon { (squared + NEAREST).powf(-self.power) } else { 0.0 }
        };
        let mut out = Vec::with_capacity(x.len());
        for first in (0..x.len()).step_by(ROWS) {
            let rows: Vec<usize> = (first..x.len().min(first + ROWS)).collect();
            let block = x.subset(&rows)?;
            let others = squared_distances(block.points(), picks.points())?;
            let known = known.map(|known| squared_distances(block.points(), known.points())).transpose()?;
            let known = known.unwrap_or_else(|| Array2::zeros((rows.len(), 0)));
            for (at, &row) in rows.iter().enumerate() {
                let from_picks = others.row(at).into_iter().zip(chosen);
                let sum = from_picks.filter(|(_, s)| labels[**s] != labels[row]).map(|(&d2, _)| of(d2)).sum::<f64>();
                out.push(sum + known.row(at).iter().map(|&d2| of(d2)).sum::<f64>());
            }
        }
        Ok(out)
    }
}

/// `1 / mean distance to the k nearest` of each row.
fn density(x: &Units, k: usize) -> Result<Vec<f64>, SelectError> {
    let k = k.min(x.len() - 1);
    if k == 0 {
        return Ok(vec![1.0 / NEAREST; x.len()]);
    }
    let block = (NEIGHBOR_BYTES / (12 * (k + 1))).max(32);
    let mut out = Vec::with_capacity(x.len());
    for first in (0..x.len()).step_by(block) {
        let rows: Vec<usize> = (first..x.len().min(first + block)).collect();
        // the nearest is the row itself or an equal one, at distance 0
        let near = top_k(x.subset(&rows)?.points(), x.points(), k + 1)?;
        out.extend((0..rows.len()).map(|at| {
            let mean = near.of(at).1.iter().map(|squared| squared.sqrt()).sum::<f64>() / k as f64;
            1.0 / (mean + NEAREST)
        }));
    }
    Ok(out)
}

/// The row with the largest score in each cluster, the lowest of equals.
fn best_of_each(labels: &[u32], k: usize, scores: &[f64]) -> Vec<usize> {
    let mut best: Vec<Option<usize>> = vec![None; k];
    for (row, &label) in labels.iter().enumerate() {
        let slot = &mut best[label as usize];
        if slot.is_none_or(|b| scores[row] > scores[b]) {
            *slot = Some(row);
        }
    }
    best.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, Embeddings, Streams};
    use rand::Rng;

    fn run(strategy: Usl, evidence: &Evidence, budget: usize) -> Selection {
        let n = evidence.embeddings.as_ref().unwrap().len();
        strategy.select(&Pool::counted(n), evidence, budget, &mut Streams::new(0).named("s")).unwrap()
    }

    #[test]
    fn density_and_crowding_follow_their_formulas() {
        let mut rng = Streams::new(1).named("usl");
        let x = Embeddings::new(Array2::from_shape_fn((60, 3), |_| rng.gen_range(-1.0f32..1.0))).unwrap().normalized();
        let units = Units::of(&x, (0..60).collect()).unwrap();
        let distance = |i: usize, j: usize| hybridrepair_kernels::squared_distance(x.row(i), x.row(j)).sqrt();
        for (i, got) in density(&units, 7).unwrap().into_iter().enumerate() {
            let mut all: Vec<f64> = (0..60).filter(|&j| j != i).map(|j| distance(i, j)).collect();
            all.sort_by(f64::total_cmp);
            let want = 1.0 / (all[..7].iter().sum::<f64>() / 7.0 + NEAREST);
            assert!((got - want).abs() < 1e-4 * want);
        }
        let labels: Vec<u32> = (0..60).map(|i| i % 3).collect();
        let strategy = Usl { horizon: 1.0, ..Usl::default() };
        let got = strategy.crowding(&units, &labels, &[0, 1, 2], None).unwrap();
        for (i, got) in got.into_iter().enumerate() {
            let others = (0..3).filter(|&s| s != i % 3 && distance(i, s) < 1.0);
            let want = others.map(|s| (distance(i, s).powi(2) + NEAREST).powf(-0.5)).sum::<f64>();
            assert!((got - want).abs() < 1e-3 * (1.0 + want), "{i}: {got} {want}");
        }
    }

    #[test]
    fn a_known_sample_pushes_the_pick_away() {
        // one cluster of equally dense samples on an arc
        let x = Array2::from_shape_fn((9, 2), |(i, j)| {
            let angle = i as f32 * std::f32::consts::TAU / 9.0;
            if j == 0 { angle.cos() } else { angle.sin() }
        });
        let mut evidence = Evidence { embeddings: Some(Embeddings::new(x).unwrap()), ..Evidence::default() };
        evidence.known.insert_bought(PoolIdx(0), ClassId(0));
        let strategy = Usl { neighbors: 8, weight: 5.0, ..Usl::default() };
        let row = run(strategy, &evidence, 1).rows()[0].row();
        assert!([3, 4, 5, 6].contains(&row), "{row}");
    }

    #[test]
    fn duplicates_are_filled_up() {
        let x = Array2::from_shape_fn((10, 2), |(i, j)| if i % 2 == j { 1.0 } else { 0.0 });
        let evidence = Evidence { embeddings: Some(Embeddings::new(x).unwrap()), ..Evidence::default() };
        assert_eq!(run(Usl::default(), &evidence, 7).len(), 7);
    }
}
