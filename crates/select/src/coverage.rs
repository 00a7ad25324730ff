//! Greedy maximisation of generalised coverage `sum_n w_n max_{s picked} k(x_n, s)` with a Gaussian kernel on rows of unit
//! length: what `MaxHerding` and its weighted forms share.

use crate::candidates::{Candidates, CollectSelection};
use crate::kernel_tile::{TILE, Tiles};
use crate::{SelectError, Strategy};
use hybridrepair_core::{Embeddings, Evidence, Pool, PoolIdx, Selection};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Candidates whose gain is refreshed at once.
const BATCH: usize = 32;
/// Bytes of kernel columns that are kept to refresh gains without new distances.
const CACHE: usize = 256 << 20;

/// What to cover, and how.
pub(crate) struct Goal<'a, W, R> {
    /// The strategy that asks.
    pub(crate) strategy: &'a dyn Strategy,
    /// `h` of `k = exp(-|x - x'|^2 / h^2)`.
    pub(crate) width: f64,
    /// Weight of a row, finite and not negative; that of a known sample is taken as 0.
    pub(crate) weight: W,
    /// The reason of a pick from the share of the total weight that it newly covers.
    pub(crate) reason: R,
}

impl<W: Fn(usize) -> f32, R: Fn(f64) -> String> Goal<'_, W, R> {
    /// Picks greedily; known samples cover from the start. Scores are gains divided by the pool's size.
    pub(crate) fn cover(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        x: &Embeddings,
        budget: usize,
    ) -> Result<Selection, SelectError> {
        if !(self.width > 0.0 && self.width.is_finite()) {
            let why = "is not above 0 and finite";
            return Err(SelectError::parameter(self.strategy, "width", self.width, why));
        }
        let candidates = Candidates::open(self.strategy, pool, evidence, budget)?;
        if candidates.take() == 0 {
            return Ok(Selection::default());
        }
        // candidates first, then the known: in the order of ids within each, whatever the row order
        let mut known: Vec<PoolIdx> = evidence.known.iter().map(|label| label.idx).collect();
        known.sort_unstable_by_key(|&idx| pool.id(idx));
        let rows: Vec<usize> = candidates.rows().iter().chain(&known).map(|idx| idx.row()).collect();
        let mut weights: Vec<f32> = rows.iter().map(|&row| (self.weight)(row).max(0.0)).collect();
        weights[candidates.len()..].fill(0.0);
        let total = weights.iter().map(|&w| f64::from(w)).sum::<f64>();

        let tiles = Tiles::new(x.select(&rows)?.normalized(), self.width);
        let mut near = vec![0f32; rows.len()];
        for batch in (candidates.len()..rows.len()).collect::<Vec<_>>().chunks(BATCH) {
            tiles.columns(batch).iter().for_each(|column| raise(&mut near, column));
        }
        let picks = greedy(&tiles, &weights, near, candidates.len(), candidates.take());
        Ok(picks
            .into_iter()
            .enumerate()
            .map(|(rank, (pos, gain))| {
                let share = if total > 0.0 { gain / total } else { 0.0 };
                candidates.pick(rank, pos, gain / pool.len() as f64, None, (self.reason)(share))
            })
            .collect_selection())
    }
}

/// A gain that was right for some earlier set of picks, so an upper bound; larger first, then the lower position.
#[derive(PartialEq)]
struct Bound {
    gain: f64,
    pos: Reverse<usize>,
    picks: usize,
}

impl Eq for Bound {}
impl Ord for Bound {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.gain.total_cmp(&other.gain).then_with(|| self.pos.cmp(&other.pos))
    }
}
impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Lazy greedy (Minoux 1978), exact because gains only shrink: (position, gain) of each pick.
fn greedy(tiles: &Tiles, weights: &[f32], mut near: Vec<f32>, candidates: usize, take: usize) -> Vec<(usize, f64)> {
    let gains = tiles.gains(weights, &near);
    let mut heap: BinaryHeap<Bound> =
        (0..candidates).map(|pos| Bound { gain: gains[pos], pos: Reverse(pos), picks: usize::MAX }).collect();
    let mut cache = Cache::new(near.len());
    let mut taken = Vec::with_capacity(take);
    while taken.len() < take {
        let mut stale = Vec::with_capacity(BATCH);
        while stale.len() < BATCH && heap.peek().is_some_and(|top| top.picks != taken.len()) {
            stale.extend(heap.pop().map(|top| top.pos.0));
        }
        if stale.is_empty() {
            let Some(top) = heap.pop() else { break };
            taken.push((top.pos.0, top.gain));
            raise(&mut near, cache.get(top.pos.0));
            continue;
        }
        cache.fill(tiles, &stale);
        let fresh: Vec<f64> = stale.par_iter().map(|&pos| gain(weights, &near, cache.get(pos))).collect();
        heap.extend(stale.into_iter().zip(fresh).map(|(pos, gain)| Bound {
            gain,
            pos: Reverse(pos),
            picks: taken.len(),
        }));
    }
    taken
}

fn raise(near: &mut [f32], column: &[f32]) {
    near.iter_mut().zip(column).for_each(|(m, &k)| *m = m.max(k));
}

/// `sum_n w_n [k_n - m_n]_+`.
fn gain(weights: &[f32], near: &[f32], column: &[f32]) -> f64 {
    let blocks = weights.chunks(TILE).zip(near.chunks(TILE)).zip(column.chunks(TILE));
    blocks.map(|((w, m), k)| crate::kernel_tile::gain_block(w, m, k)).sum()
}

/// Kernel columns of the candidates looked at last.
struct Cache {
    columns: Vec<Option<Vec<f32>>>,
    order: VecDeque<usize>,
    most: usize,
}

impl Cache {
    fn new(n: usize) -> Self {
        Self { columns: vec![None; n], order: VecDeque::new(), most: (CACHE / (4 * n)).max(2 * BATCH) }
    }

    fn get(&self, pos: usize) -> &[f32] {
        self.columns[pos].as_deref().unwrap_or_default()
    }

    /// Makes sure that these at most `BATCH` columns are there, the oldest make room.
    fn fill(&mut self, tiles: &Tiles, wanted: &[usize]) {
        let missing: Vec<usize> = wanted.iter().copied().filter(|&pos| self.columns[pos].is_none()).collect();
        let computed = tiles.columns(&missing);
        while self.order.len() + missing.len() > self.most {
            let Some(oldest) = self.order.pop_front() else { break };
            if wanted.contains(&oldest) {
                self.order.push_back(oldest);
            } else {
                self.columns[oldest] = None;
            }
        }
        for (pos, column) in missing.into_iter().zip(computed) {
            self.columns[pos] = Some(column);
            self.order.push_back(pos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use ndarray::Array2;
    use rand::Rng;

    #[test]
    fn lazy_greedy_picks_what_the_definition_says() {
        let mut rng = Streams::new(4).named("coverage");
        let n = 1100;
        let x = Embeddings::new(Array2::from_shape_fn((n, 5), |_| rng.gen_range(-1.0f32..1.0))).unwrap().normalized();
        let weights: Vec<f32> = (0..n).map(|_| rng.r#gen()).collect();
        let k = |i: usize, j: usize| {
            let d2: f64 = x.row(i).iter().zip(x.row(j)).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            (-d2 / 0.25).exp()
        };
        let taken = greedy(&Tiles::new(x.clone(), 0.5), &weights, vec![0.0; n], n, 25);
        let mut near = vec![0f64; n];
        for (turn, &(pos, gain)) in taken.iter().enumerate() {
            let gain_of =
                |c: usize| -> f64 { (0..n).map(|i| f64::from(weights[i]) * (k(i, c) - near[i]).max(0.0)).sum() };
            let best = (0..n).map(gain_of).fold(0.0, f64::max);
            assert!(gain_of(pos) >= best * (1.0 - 1e-5), "turn {turn}: {} of {best}", gain_of(pos));
            assert!((gain - gain_of(pos)).abs() < 1e-5 * best, "turn {turn}");
            (0..n).for_each(|i| near[i] = near[i].max(k(i, pos)));
        }
    }
}
