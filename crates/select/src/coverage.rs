//! Greedy maximisation of generalised coverage `sum_n w_n max_{s picked} k(x_n, s)` on rows of unit length, exactly and
//! without all pairs in memory: what `MaxHerding`, its weighted forms and `ProbCover` share.
//!
//! The gain of every candidate, `sum_n w_n [k(x_n, c) - m_n]_+` with the best likeness `m_n` so far, is computed once and then
//! kept right: a pick changes `m_n` for some samples only, about one in `t` at pick `t`, and only their pairs are looked
//! at again. Small pools keep all pairs. In larger ones they are computed by matrix products as long as too many of them
//! matter; later a list of the pairs with `k(x_n, c) > m_n` fits into memory, shrinks with every pick, and takes over.

use crate::candidates::{Candidates, CollectSelection};
use crate::{SelectError, Strategy, exact::Exact};
use hybridrepair_core::{Embeddings, Evidence, Pool, PoolIdx, Selection};
use hybridrepair_kernels::{Change, Likeness, Similarity};
use rayon::prelude::*;

/// Bytes of likenesses that are kept at most.
pub(crate) const KEEP_BYTES: usize = 640 << 20;
/// Bytes of a pair in a list.
const PAIR: usize = size_of::<(u32, f32)>();

/// What the picks so far cover, and what each candidate would add.
pub(crate) struct Coverage {
    similarity: Similarity,
    weights: Vec<f32>,
    /// The highest likeness of each row to a pick or a known sample.
    near: Vec<f32>,
    /// What each candidate adds.
    gains: Vec<f64>,
    free: Vec<bool>,
    stage: Stage,
    /// For a Gaussian; the gains of balls are whole numbers.
    exact: Option<Exact>,
    /// The column of likenesses of a candidate that was just looked at.
    column: Option<(usize, Vec<f32>)>,
}

/// Gains within this share of the best are compared in `f64`: several times the error of those in `f32`.
const CLOSE: f64 = 4e-6;
/// How many of them at most; what lies closer together in larger numbers is as good as equal.
pub(crate) const FINALISTS: usize = 12;
/// Known samples whose columns are computed at a time.
const BATCH: usize = 48;

enum Stage {
    /// All pairs are kept; the gains were summed anew when the best of them was this.
    Kept { best: f64 },
    /// Pairs are computed when they are needed.
    Computed {
        /// How many rows the last picks have changed.
        changed: Vec<usize>,
        /// Lists that would hold more pairs are not tried.
        most: usize,
    },
    /// For each row the candidates that are more like it than any pick.
    Listed(Vec<Vec<(u32, f32)>>),
}

/// What covers before the first pick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The samples whose labels are known.
    Known,
    /// Nothing.
    Nothing,
}

impl Coverage {
    /// Coverage of all rows of a pool. `weight` gives a finite number per row, not negative; known samples have none.
    pub(crate) fn new(
        candidates: &Candidates,
        pool: &Pool,
        evidence: &Evidence,
        x: &Embeddings,
        likeness: Likeness,
        start: Start,
        weight: impl Fn(usize) -> f32,
    ) -> Self {
        // candidates first, then the known: in the order of ids within each, whatever the row order
        let mut known: Vec<PoolIdx> = evidence.known.iter().map(|label| label.idx).collect();
        known.sort_unstable_by_key(|&idx| pool.id(idx));
        let rows: Vec<u32> = candidates.rows().iter().chain(&known).map(|idx| idx.0).collect();
        let mut weights: Vec<f32> = rows.iter().map(|&row| weight(row as usize).max(0.0)).collect();
        weights[candidates.len()..].fill(0.0);
        let mut similarity = Similarity::of_units(x.into(), &rows, likeness);
        let small = Similarity::bytes_to_keep(rows.len()) <= KEEP_BYTES;
        if small {
            similarity.keep();
        }
        let mut exact = match likeness {
            Likeness::Gaussian { sharpness } => Some(Exact::new(x, &rows, f64::from(sharpness))),
            Likeness::Ball { .. } => None,
        };
        let known = if start == Start::Known { rows.len() } else { candidates.len() };
        let covers: Vec<u32> = (candidates.len() as u32..known as u32).collect();
        let mut near = vec![0f32; rows.len()];
        for batch in covers.chunks(BATCH) {
            for (&pos, column) in batch.iter().zip(similarity.columns(batch)) {
                for (i, (near, k)) in near.iter_mut().zip(column).enumerate().filter(|(_, (near, k))| k > near) {
                    *near = k;
                    if let Some(exact) = &mut exact {
                        exact.covered_by(i, pos as usize);
                    }
                }
            }
        }
        let stage = if small {
            Stage::Kept { best: 0.0 }
        } else {
            Stage::Computed { changed: Vec::new(), most: KEEP_BYTES / PAIR }
        };
        let free = vec![true; candidates.len()];
        let mut out = Self { similarity, weights, near, gains: Vec::new(), free, stage, exact, column: None };
        out.sum_anew();
        out
    }

    /// Sum of the weights.
    pub(crate) fn total(&self) -> f64 {
        self.weights.iter().map(|&w| f64::from(w)).sum()
    }

    /// What each candidate adds, up to rounding; at least 0.
    pub(crate) fn gain(&self, pos: usize) -> f64 {
        self.gains[pos].max(0.0)
    }

    /// The candidates that have not been taken.
    pub(crate) fn free(&self) -> Vec<usize> {
        (0..self.free.len()).filter(|&pos| self.free[pos]).collect()
    }

    /// The free candidate that adds most, the lowest position of equals. What is too close to tell in `f32` is decided in
    /// `f64`.
    pub(crate) fn best(&mut self) -> Option<usize> {
        let best = self.best_by(|pos| self.gains[pos])?;
        let Some(exact) = &self.exact else { return Some(best) };
        let limit = self.gains[best] * (1.0 - CLOSE);
        // equal to the last bit: the same sample again
        let close = |&pos: &usize| self.free[pos] && self.gains[pos] >= limit && self.gains[pos] != self.gains[best];
        let mut finalists: Vec<usize> = (0..self.free.len()).filter(close).collect();
        if finalists.is_empty() || limit <= 0.0 {
            return Some(best);
        }
        finalists.sort_by(|&a, &b| self.gains[b].total_cmp(&self.gains[a]));
        finalists.truncate(FINALISTS - 1);
        finalists.push(best);
        finalists.sort_unstable();
        let mut columns = self.similarity.columns(&finalists.iter().map(|&pos| pos as u32).collect::<Vec<_>>());
        let gain = |(&pos, column): (&usize, &Vec<f32>)| exact.gain(pos, column, &self.near, &self.weights);
        let gains: Vec<f64> = finalists.par_iter().zip(&columns).map(gain).collect();
        let at = (1..gains.len()).fold(0, |best, at| if gains[at] > gains[best] { at } else { best });
        self.column = Some((finalists[at], columns.swap_remove(at)));
        Some(finalists[at])
    }

    /// The free candidate with the largest score, the lowest position of equals.
    pub(crate) fn best_by(&self, score: impl Fn(usize) -> f64) -> Option<usize> {
        let free = (0..self.free.len()).filter(|&pos| self.free[pos]).map(|pos| (pos, score(pos)));
        free.reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(pos, _)| pos)
    }

    /// Takes a candidate: it covers from now on.
    pub(crate) fn take(&mut self, pos: usize) {
        self.free[pos] = false;
        let column = match self.column.take() {
            Some((at, column)) if at == pos => column,
            _ => self.similarity.columns(&[pos as u32]).swap_remove(0),
        };
        let raised = |i: &usize| self.weights[*i] > 0.0 && column[*i] > self.near[*i];
        let changes: Vec<Change> = (0..column.len())
            .filter(raised)
            .map(|i| Change { at: i as u32, weight: self.weights[i], from: self.near[i], to: column[i] })
            .collect();
        for change in &changes {
            self.near[change.at as usize] = change.to;
            if let Some(exact) = &mut self.exact {
                exact.covered_by(change.at as usize, pos);
            }
        }
        match &mut self.stage {
            Stage::Listed(lists) => {
                for change in &changes {
                    let (weight, from, to) = (f64::from(change.weight), f64::from(change.from), f64::from(change.to));
                    lists[change.at as usize].retain(|&(c, k)| {
                        if let Some(gain) = self.gains.get_mut(c as usize) {
                            *gain -= weight * (f64::from(k).min(to) - from);
                        }
                        k > change.to
                    });
                }
            }
            Stage::Kept { best } => {
                let best = *best;
                subtract(&mut self.gains, self.similarity.lost(&changes));
                // what is left of a large sum has lost digits
                if self.best_by(|pos| self.gains[pos]).is_some_and(|pos| self.gains[pos] < best / 32.0) {
                    self.sum_anew();
                }
            }
            Stage::Computed { changed, .. } => {
                changed.push(changes.len());
                subtract(&mut self.gains, self.similarity.lost(&changes));
            }
        }
    }

    /// Says how many candidates will still be taken: with many, pairs are listed as soon as the lists fit.
    pub(crate) fn expect(&mut self, left: usize) {
        let Stage::Computed { changed, most } = &mut self.stage else { return };
        let last = &changed[changed.len().saturating_sub(4)..];
        if last.is_empty() {
            return;
        }
        // a pick is more like the others than most
        let mean = last.iter().sum::<usize>() / last.len();
        let pairs = mean.saturating_mul(self.near.len());
        // the lists cost one pass over all pairs; without them each pick costs a share of one
        if pairs > *most || mean.saturating_mul(left) < 2 * self.near.len() {
            return;
        }
        let open = |(&near, &weight): (&f32, &f32)| if weight > 0.0 { near } else { 1.0 };
        let floor: Vec<f32> = self.near.iter().zip(&self.weights).map(open).collect();
        match self.similarity.above(&floor, KEEP_BYTES / PAIR) {
            Some(lists) => {
                // summed in the order of the rows
                self.gains.fill(0.0);
                for (i, list) in lists.iter().enumerate() {
                    let (weight, near) = (f64::from(self.weights[i]), f64::from(self.near[i]));
                    for &(c, k) in list {
                        if let Some(gain) = self.gains.get_mut(c as usize) {
                            *gain += weight * (f64::from(k) - near);
                        }
                    }
                }
                self.stage = Stage::Listed(lists);
            }
            None => *most = pairs / 2,
        }
    }

    fn sum_anew(&mut self) {
        let open = |i: &usize| self.weights[*i] > 0.0;
        let changes: Vec<Change> = (0..self.weights.len())
            .filter(open)
            .map(|i| Change { at: i as u32, weight: self.weights[i], from: self.near[i], to: f32::INFINITY })
            .collect();
        self.gains = self.similarity.lost(&changes);
        self.gains.truncate(self.free.len());
        let best = self.best_by(|pos| self.gains[pos]).map_or(0.0, |pos| self.gains[pos]);
        if let Stage::Kept { best: at } = &mut self.stage {
            *at = best;
        }
    }
}

fn subtract(gains: &mut [f64], lost: Vec<f64>) {
    gains.par_iter_mut().zip(lost).with_min_len(4096).for_each(|(gain, lost)| *gain -= lost);
}

/// What to cover by herding, and how.
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
    /// Picks what adds most, again and again; known samples cover from the start. Scores are gains divided by the pool's
    /// size.
    pub(crate) fn cover(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        x: &Embeddings,
        budget: usize,
    ) -> Result<Selection, SelectError> {
        let likeness = gaussian(self.strategy, "width", self.width)?;
        let candidates = Candidates::open(self.strategy, pool, evidence, budget)?;
        let take = candidates.take();
        if take == 0 {
            return Ok(Selection::default());
        }
        let mut coverage = Coverage::new(&candidates, pool, evidence, x, likeness, Start::Known, &self.weight);
        let total = coverage.total();
        let mut picks = Vec::with_capacity(take);
        while let Some(pos) = coverage.best() {
            let gain = coverage.gain(pos);
            let share = if total > 0.0 { gain / total } else { 0.0 };
            picks.push(candidates.pick(picks.len(), pos, gain / pool.len() as f64, None, (self.reason)(share)));
            if picks.len() == take {
                break;
            }
            coverage.take(pos);
            coverage.expect(take - picks.len());
        }
        Ok(picks.into_iter().collect_selection())
    }
}

/// The Gaussian of a width `h`, `exp(-|x - x'|^2 / h^2)`.
pub(crate) fn gaussian(strategy: &dyn Strategy, parameter: &'static str, width: f64) -> Result<Likeness, SelectError> {
    if !(width > 0.0 && width.is_finite()) {
        return Err(SelectError::parameter(strategy, parameter, width, "is not above 0 and finite"));
    }
    // beyond these ends the kernel is 1 or 0 in f32 anyway
    Ok(Likeness::Gaussian { sharpness: (1.0 / (width * width)).clamp(1e-30, 1e30) as f32 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use ndarray::Array2;
    use rand::Rng;

    /// Coverage of some rows in each of the stages that it passes through in a large pool.
    fn coverage(x: &Embeddings, weights: &[f32], stage: &str) -> Coverage {
        let pool = Pool::counted(x.len());
        let evidence = Evidence { embeddings: Some(x.clone()), ..Evidence::default() };
        let candidates = Candidates::open(&crate::MaxHerding::default(), &pool, &evidence, 1).unwrap();
        let like = Likeness::Gaussian { sharpness: 4.0 };
        let mut out = Coverage::new(&candidates, &pool, &evidence, x, like, Start::Known, |row| weights[row]);
        if stage != "kept" {
            let order: Vec<u32> = (0..x.len() as u32).collect();
            out.similarity = Similarity::of_units(x.into(), &order, like);
            let most = if stage == "listed" { usize::MAX } else { 0 };
            out.stage = Stage::Computed { changed: Vec::new(), most };
        }
        out
    }

    #[test]
    fn every_stage_picks_what_the_definition_says() {
        let mut rng = Streams::new(4).named("coverage");
        let n = 700;
        let x = Embeddings::new(Array2::from_shape_fn((n, 5), |_| rng.gen_range(-1.0f32..1.0))).unwrap().normalized();
        let weights: Vec<f32> = (0..n).map(|_| rng.r#gen()).collect();
        let k = |i: usize, j: usize| {
            let d2: f64 = x.row(i).iter().zip(x.row(j)).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
            (-d2 / 0.25).exp()
        };
        let mut reached = Vec::new();
        for stage in ["kept", "computed", "listed"] {
            let mut coverage = coverage(&x, &weights, stage);
            let mut near = vec![0f64; n];
            for turn in 0..25 {
                let gain_of =
                    |c: usize| -> f64 { (0..n).map(|i| f64::from(weights[i]) * (k(i, c) - near[i]).max(0.0)).sum() };
                let best = (0..n).map(gain_of).fold(0.0, f64::max);
                let pos = coverage.best().unwrap();
                assert!(gain_of(pos) >= best * (1.0 - 1e-7), "{stage} {turn}: {} of {best}", gain_of(pos));
                for c in [pos, 0, n - 1] {
                    assert!((coverage.gain(c) - gain_of(c)).abs() < 1e-5 * best, "{stage} {turn}");
                }
                coverage.take(pos);
                coverage.expect(1000);
                (0..n).for_each(|i| near[i] = near[i].max(k(i, pos)));
            }
            reached.push(match coverage.stage {
                Stage::Kept { .. } => "kept",
                Stage::Computed { .. } => "computed",
                Stage::Listed(_) => "listed",
            });
        }
        assert_eq!(reached, ["kept", "computed", "listed"]);
    }
}
