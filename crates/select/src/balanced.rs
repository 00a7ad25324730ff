use crate::candidates::{CollectSelection, required};
use crate::{Estimate, SelectError, Size, Strategy, subset::Subset};
use hybridrepair_core::{Evidence, Need, Needs, Pick, Pool, PoolIdx, Selection, Stream};

/// Another strategy, with an equal share of the budget for each class that the model predicts: `NAME+balanced`.
///
/// The pool is parted by predicted class, and the strategy picks in every part by itself: it sees the part's evidence and
/// known labels, a region where its centre is, no neighbour graph. Picks are dealt out class by class, in the order of the
/// classes, until the budget is spent; a class with too few samples leaves its turns to the others. Where predictions are
/// right, labels are as balanced as the pool allows, which rankings by doubt rarely are (the quota by class is that of
/// class-balanced active learning: Bengar et al., WACV 2022, here on predictions and without an optimiser).
///
/// Cost: that of the strategy on each part; memory is a copy of the largest part beside it. Score and reason are the
/// strategy's, with the class.
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Probs, Streams};
/// let probs = Probs::new(ndarray::array![[0.5, 0.5], [0.6, 0.4], [0.7, 0.3], [0.1, 0.9]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let picked = hybridrepair_select::strategy("margin+balanced")?
///     .select(&Pool::counted(4), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [0, 3], "margin alone takes 0 and 1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Balanced {
    inner: Box<dyn Strategy>,
    name: String,
}

impl Balanced {
    /// This strategy, balanced.
    pub fn new(inner: Box<dyn Strategy>) -> Self {
        let name = format!("{}+balanced", inner.name());
        Self { inner, name }
    }
}

impl Strategy for Balanced {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        self.inner.needs().union(Needs::of(&[Need::Probs]))
    }

    fn cost(&self, size: &Size) -> Estimate {
        // parts of equal size: their arrays, and the strategy on each
        let classes = size.classes.max(1);
        let part = Size { n: size.n.div_ceil(classes), budget: size.budget.div_ceil(classes), ..*size };
        let cost = self.inner.cost(&part);
        let arrays = 4.0 * part.n as f64 * (size.dim + size.features + 2 * size.classes) as f64;
        let times = classes as f64;
        Estimate {
            bytes: cost.bytes + arrays + 16.0 * size.n as f64,
            products: cost.products * times,
            read: (cost.read + 2.0 * arrays) * times,
        }
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        if let Some(need) = evidence.missing(self.needs()) {
            return Err(SelectError::Needs { strategy: self.name.clone(), need });
        }
        evidence.check(pool.len())?;
        let probs = required(evidence.probs.as_ref(), self, Need::Probs)?;
        let mut parts = vec![Vec::new(); probs.classes()];
        let mut free = vec![0usize; probs.classes()];
        for idx in pool.rows() {
            let class = probs.top1(idx.row()).column();
            parts[class].push(idx);
            free[class] += usize::from(!evidence.known.contains(idx));
        }
        let mut queues = Vec::with_capacity(parts.len());
        for (class, (rows, quota)) in parts.into_iter().zip(quotas(&free, budget)).enumerate() {
            queues.push(if quota == 0 { Vec::new() } else { self.part(pool, evidence, (class, rows), quota, rng)? });
        }
        // dealt out in turns
        let most = queues.iter().map(Vec::len).max().unwrap_or(0);
        let turns = (0..most).flat_map(|turn| queues.iter().filter_map(move |queue| queue.get(turn)));
        Ok(turns.enumerate().map(|(rank, pick)| Pick { rank, ..pick.clone() }).collect_selection())
    }
}

impl Balanced {
    /// The picks among the samples of one class.
    fn part(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        (class, rows): (usize, Vec<PoolIdx>),
        quota: usize,
        rng: &Stream,
    ) -> Result<Vec<Pick>, SelectError> {
        let part = Subset::of(pool, &evidence.restricted_to(self.needs()), rows)?;
        // numbers of its own for each class, the same for any budget
        let mut own = rng.clone();
        own.set_stream(rng.get_stream().wrapping_add(1 + class as u64));
        let picked = self.inner.select(&part.pool, &part.evidence, quota, &mut own)?;
        let picks = picked.picks.into_iter().map(|pick| Pick {
            idx: part.row(pick.idx),
            region: pick.region.map(|id| part.region(id)),
            reason: format!("class {class}: {}", pick.reason),
            ..pick
        });
        Ok(picks.collect())
    }
}

/// How many each class gets when labels are dealt out in turns.
fn quotas(free: &[usize], budget: usize) -> Vec<usize> {
    let mut quotas = vec![0; free.len()];
    let mut left = budget.min(free.iter().sum());
    while left > 0 {
        let open: Vec<usize> = (0..free.len()).filter(|&c| quotas[c] < free[c]).collect();
        // as many whole turns as all open classes can take, else one for the first of them
        let room = open.iter().map(|&c| free[c] - quotas[c]).min().unwrap_or(0);
        let turns = (left / open.len()).min(room);
        if turns == 0 {
            open.iter().take(left).for_each(|&c| quotas[c] += 1);
            break;
        }
        for &c in &open {
            quotas[c] += turns;
        }
        left -= turns * open.len();
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy;
    use hybridrepair_core::{ClassId, Probs, Streams};
    use ndarray::Array2;

    #[test]
    fn quotas_are_dealt_in_turns() {
        assert_eq!(quotas(&[10, 10, 10], 7), [3, 2, 2]);
        assert_eq!(quotas(&[1, 10, 3], 9), [1, 5, 3]);
        assert_eq!(quotas(&[0, 2], 9), [0, 2]);
        assert_eq!(quotas(&[], 3), Vec::<usize>::new());
        for budget in 0..20 {
            assert_eq!(quotas(&[4, 0, 9, 1], budget).iter().sum::<usize>(), budget.min(14));
        }
    }

    #[test]
    fn rare_classes_get_their_share_and_regions_keep_their_names() {
        // 30 samples of class 0, 5 of class 1, 1 of class 2, whose doubts are smallest
        let class = |i: usize| if i < 30 { 0 } else { 1 + usize::from(i == 35) };
        let probs = Array2::from_shape_fn((36, 3), |(i, c)| {
            let top = if i < 30 { 0.4 } else { 0.9 };
            if c == class(i) { top } else { (1.0 - top) / 2.0 }
        });
        let mut evidence = Evidence { probs: Some(Probs::new(probs).unwrap()), ..Evidence::default() };
        evidence.known.insert_bought(PoolIdx(0), ClassId(0));
        let run = |budget| {
            let rng = &mut Streams::new(0).named("s");
            strategy("entropy+balanced").unwrap().select(&Pool::counted(36), &evidence, budget, rng).unwrap()
        };
        let rows: Vec<usize> = run(8).rows().iter().map(|idx| idx.row()).collect();
        assert_eq!(rows, [1, 30, 35, 2, 31, 3, 32, 4]);
        assert!(run(8).picks[1].reason.starts_with("class 1: entropy"));
        assert_eq!(run(99).len(), 35);
    }
}
