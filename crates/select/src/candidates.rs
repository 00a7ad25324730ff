use crate::{SelectError, Strategy};
use hybridrepair_core::{CoreError, Embeddings, Evidence, LabelSet, Need, Pick, Pool, PoolIdx, RegionId, Selection};
use hybridrepair_kernels::{KernelError, Units};
use rand::Rng;
use rayon::prelude::*;

/// The samples that may be bought, in the order of their ids.
///
/// Strategies work on positions in this list. A tie that goes to the lowest position goes to the lowest
/// [`SampleId`](hybridrepair_core::SampleId), and a random draw over positions does not depend on the row order: so every
/// answer depends on the samples alone.
pub(crate) struct Candidates<'a> {
    pool: &'a Pool,
    rows: Vec<PoolIdx>,
    take: usize,
}

impl<'a> Candidates<'a> {
    /// Checks the evidence that the strategy declares and lists what is not labelled yet.
    pub(crate) fn open(
        strategy: &dyn Strategy,
        pool: &'a Pool,
        evidence: &Evidence,
        budget: usize,
    ) -> Result<Self, SelectError> {
        if let Some(need) = evidence.missing(strategy.needs()) {
            return Err(SelectError::Needs { strategy: strategy.name().to_owned(), need });
        }
        evidence.check(pool.len())?;
        if let Some(views) = &evidence.views {
            finite("view entropy", views.entropy.iter())?;
            finite("view variance", views.variance.iter())?;
        }
        Ok(Self::of(pool, &evidence.known, budget))
    }

    fn of(pool: &'a Pool, known: &LabelSet, budget: usize) -> Self {
        let mut rows = in_id_order(pool);
        rows.retain(|&idx| !known.contains(idx));
        let take = budget.min(rows.len());
        Self { pool, rows, take }
    }

    /// Number of candidates.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many to pick.
    pub(crate) fn take(&self) -> usize {
        self.take
    }

    /// The row of a candidate.
    pub(crate) fn row(&self, pos: usize) -> usize {
        self.rows[pos].row()
    }

    /// The rows of all candidates.
    pub(crate) fn rows(&self) -> &[PoolIdx] {
        &self.rows
    }

    /// The position of each row of the pool, `None` where the label is known.
    pub(crate) fn positions(&self) -> Vec<Option<usize>> {
        let mut positions = vec![None; self.pool.len()];
        for (pos, idx) in self.rows.iter().enumerate() {
            positions[idx.row()] = Some(pos);
        }
        positions
    }

    /// One number per candidate, computed from its row in parallel.
    pub(crate) fn score(&self, of_row: impl Fn(usize) -> f64 + Sync) -> Vec<f64> {
        self.rows.par_iter().map(|idx| of_row(idx.row())).collect()
    }

    /// The picks with the largest scores; the reason is made from the row.
    pub(crate) fn best(&self, scores: &[f64], reason: impl Fn(usize) -> String) -> Selection {
        let picks = top(scores, self.take).into_iter().enumerate();
        picks.map(|(rank, pos)| self.pick(rank, pos, scores[pos], None, reason(self.row(pos)))).collect_selection()
    }

    /// One pick.
    pub(crate) fn pick(&self, rank: usize, pos: usize, score: f64, region: Option<RegionId>, reason: String) -> Pick {
        let idx = self.rows[pos];
        Pick { id: self.pool.id(idx), idx, rank, score, region, reason }
    }
}

/// All rows of a pool in the order of their ids.
pub(crate) fn in_id_order(pool: &Pool) -> Vec<PoolIdx> {
    let mut rows: Vec<PoolIdx> = pool.rows().collect();
    if !rows.is_sorted_by_key(|&idx| pool.id(idx)) {
        rows.sort_unstable_by_key(|&idx| pool.id(idx));
    }
    rows
}

/// All rows of an array at unit length, in the order of their ids.
pub(crate) fn units_in_id_order(x: &Embeddings, pool: &Pool) -> Result<Units, KernelError> {
    Units::of(x, in_id_order(pool).iter().map(|idx| idx.0).collect())
}

/// Evidence that must be there.
pub(crate) fn required<'e, T>(value: Option<&'e T>, strategy: &dyn Strategy, need: Need) -> Result<&'e T, SelectError> {
    value.ok_or(SelectError::Needs { strategy: strategy.name().to_owned(), need })
}

/// Positions of the `take` largest scores, best first, ties to the lowest position. Takes `O(n + take log take)`.
pub(crate) fn top(scores: &[f64], take: usize) -> Vec<usize> {
    let better = |&a: &usize, &b: &usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
    let mut order: Vec<usize> = (0..scores.len()).collect();
    if take == 0 {
        return Vec::new();
    }
    if take < order.len() {
        order.select_nth_unstable_by(take - 1, better);
        order.truncate(take);
    }
    order.sort_unstable_by(better);
    order
}

/// Moves `take` uniformly drawn items to the front, in the order drawn: the first draws do not depend on `take`.
pub(crate) fn draw<T>(items: &mut [T], take: usize, rng: &mut impl Rng) {
    for i in 0..take.min(items.len()) {
        let j = rng.gen_range(i..items.len());
        items.swap(i, j);
    }
}

/// Collects picks into a selection.
pub(crate) trait CollectSelection: Iterator<Item = Pick> + Sized {
    fn collect_selection(self) -> Selection {
        Selection { picks: self.collect() }
    }
}
impl<I: Iterator<Item = Pick>> CollectSelection for I {}

fn finite<'a>(what: &'static str, values: impl Iterator<Item = &'a f32>) -> Result<(), CoreError> {
    match values.enumerate().find(|(_, v)| !v.is_finite()) {
        Some((row, &value)) => Err(CoreError::NotFinite { what, row, col: 0, value }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, SampleId, Streams};

    #[test]
    fn candidates_stand_in_the_order_of_their_ids_without_the_known() {
        let pool = Pool::new([7, 3, 9, 1].map(SampleId).to_vec()).unwrap();
        let mut known = LabelSet::new();
        known.insert_bought(PoolIdx(2), ClassId(0));
        let c = Candidates::of(&pool, &known, 10);
        assert_eq!(c.rows, [3, 1, 0].map(PoolIdx));
        assert_eq!(c.take(), 3);
        assert_eq!(c.positions(), [Some(2), Some(1), None, Some(0)]);
    }

    #[test]
    fn the_top_is_sorted_and_ties_keep_their_order() {
        let scores = [1.0, 3.0, 2.0, 3.0, 1.0];
        for take in 0..=5 {
            assert_eq!(top(&scores, take), [1, 3, 2, 0, 4][..take]);
        }
        assert!(top(&[], 0).is_empty());
    }

    #[test]
    fn longer_draws_begin_with_the_shorter() {
        let drawn = |take| {
            let mut items: Vec<usize> = (0..20).collect();
            draw(&mut items, take, &mut Streams::new(3).named("draw"));
            items.truncate(take);
            items
        };
        assert_eq!(drawn(20)[..7], drawn(7));
    }
}
