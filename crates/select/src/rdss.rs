use crate::candidates::{Candidates, CollectSelection, required};
use crate::{Estimate, SelectError, Size, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, PoolIdx, Selection, Stream};
use hybridrepair_kernels::{Change, Likeness, Similarity};

/// RDSS (Shao et al., `NeurIPS` 2024): representative and diverse samples by kernel herding with a weakened pull to the
/// mean.
///
/// With `k(x, x') = exp(-gamma |x - x'|^2)` on embeddings of unit length, `mu_i = (1/N) sum_n k(x_i, x_n)` and
/// `F_i = (1/t) sum_{s picked} k(x_i, s)` each pick is `argmin_i F_i - alpha mu_i`, `alpha = 1 - 1 / sqrt(B)`. Known samples
/// count as picked, in `t`, in `F` and in `B`. Since `alpha` depends on the budget, so do the first picks.
///
/// Deterministic; `O(n^2 d)` for `mu` by blocked matrix products, then `O(n d)` per pick. Score: `alpha mu - F`.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Streams};
/// use hybridrepair_select::{Rdss, Strategy};
/// let x = ndarray::array![[1.0, 0.1], [1.0, 0.0], [1.0, -0.1], [0.0, 1.0]];
/// let evidence = Evidence { embeddings: Some(Embeddings::new(x)?), ..Evidence::default() };
/// let picked = Rdss::default().select(&Pool::counted(4), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [0, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rdss {
    /// `gamma` of the kernel, above 0 (published: 0.5).
    pub gamma: f64,
}

impl Default for Rdss {
    fn default() -> Self {
        Self { gamma: 0.5 }
    }
}

impl Strategy for Rdss {
    fn name(&self) -> &'static str {
        "rdss"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Embeddings])
    }

    fn cost(&self, size: &Size) -> Estimate {
        Estimate::pairs(size, 1.0)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        _: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let embeddings = required(evidence.embeddings.as_ref(), self, Need::Embeddings)?;
        if !(self.gamma > 0.0 && self.gamma.is_finite()) {
            return Err(SelectError::parameter(self, "gamma", self.gamma, "is not above 0 and finite"));
        }
        let likeness = Likeness::Gaussian { sharpness: (self.gamma as f32).clamp(1e-30, 1e30) };
        if candidates.take() == 0 {
            return Ok(Selection::default());
        }
        let mut known: Vec<PoolIdx> = evidence.known.iter().map(|label| label.idx).collect();
        known.sort_unstable_by_key(|&idx| pool.id(idx));
        let rows: Vec<u32> = candidates.rows().iter().chain(&known).map(|idx| idx.0).collect();
        let n = rows.len();
        let similarity = Similarity::of_units(embeddings.into(), &rows, likeness);
        let change = |at| Change { at, weight: 1.0, from: 0.0, to: f32::INFINITY };
        let all: Vec<Change> = (0..n as u32).map(change).collect();
        let pull: Vec<f64> = similarity.lost(&all).into_iter().map(|sum| sum / n as f64).collect();
        let known_rows: Vec<Change> = all[candidates.len()..].to_vec();
        let mut sums = similarity.lost(&known_rows);

        let alpha = 1.0 - 1.0 / ((known.len() + candidates.take()) as f64).sqrt();
        let mut free = vec![true; candidates.len()];
        let mut picks = Vec::with_capacity(candidates.take());
        while picks.len() < candidates.take() {
            let t = (known.len() + picks.len()).max(1) as f64;
            let score = |pos: usize| alpha * pull[pos] - sums[pos] / t;
            let open = (0..candidates.len()).filter(|&pos| free[pos]).map(|pos| (pos, score(pos)));
            let Some((pos, best)) = open.reduce(|a, b| if b.1 > a.1 { b } else { a }) else { break };
            free[pos] = false;
            let column = similarity.columns(&[pos as u32]).swap_remove(0);
            sums.iter_mut().zip(column).for_each(|(sum, k)| *sum += f64::from(k));
            let reason = format!("density {:.4}, likeness to the picks {:.4}", pull[pos], alpha * pull[pos] - best);
            picks.push(candidates.pick(picks.len(), pos, best, None, reason));
        }
        Ok(picks.into_iter().collect_selection())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{Embeddings, Streams};
    use ndarray::Array2;
    use rand::Rng;

    #[test]
    fn picks_follow_the_formula() {
        let mut rng = Streams::new(8).named("rdss");
        let n = 300;
        let x = Embeddings::new(Array2::from_shape_fn((n, 4), |_| rng.gen_range(-1.0f32..1.0))).unwrap();
        let unit = x.normalized();
        let k = |i: usize, j: usize| {
            let d2: f64 = unit.row(i).iter().zip(unit.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            (-0.5 * d2).exp()
        };
        let evidence = Evidence { embeddings: Some(x), ..Evidence::default() };
        let picked = Rdss::default().select(&Pool::counted(n), &evidence, 20, &mut Streams::new(0).named("s")).unwrap();
        let alpha = 1.0 - 1.0 / 20f64.sqrt();
        let mut before: Vec<usize> = Vec::new();
        for pick in &picked.picks {
            let score = |i: usize| {
                let mu = (0..n).map(|j| k(i, j)).sum::<f64>() / n as f64;
                alpha * mu - before.iter().map(|&s| k(i, s)).sum::<f64>() / before.len().max(1) as f64
            };
            let best = (0..n).filter(|i| !before.contains(i)).map(score).fold(f64::NEG_INFINITY, f64::max);
            assert!(score(pick.idx.row()) >= best - 1e-5, "rank {}", pick.rank);
            assert!((pick.score - score(pick.idx.row())).abs() < 1e-5);
            before.push(pick.idx.row());
        }
    }
}
