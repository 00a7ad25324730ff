use hybridrepair_core::Stream;
use hybridrepair_train::{shuffled_batches, weighted_draws};

/// In which order the consistency pass sees the field pictures that take part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// With replacement, by weight: as many as the pool has, whatever its share with a weight (`HybridRepair`).
    Weighted,
    /// Each once in a new order, then again.
    Shuffled,
    /// Each once in the order of the files, the same in every epoch: what upstream's SSL baselines do.
    InOrder,
}

/// How the unlabelled stream of the consistency pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnlabelledStream {
    /// Its order.
    pub draw: Draw,
    /// Whether labelled field pictures take part as well, with their label as a fixed target.
    pub labels: bool,
}

impl UnlabelledStream {
    /// That of the published method.
    pub const PUBLISHED: Self = Self { draw: Draw::Weighted, labels: true };
}

impl Draw {
    /// Pictures of one time around: of weighted draws the whole pool, else those that take part.
    pub(crate) fn around(self, weights: &[f32]) -> usize {
        match self {
            Self::Weighted => weights.len(),
            Self::Shuffled | Self::InOrder => weights.iter().filter(|w| **w > 0.0).count(),
        }
    }

    /// `n` rows, `batch` of them a step; of the orders without replacement a last smaller batch is left out.
    pub(crate) fn rows(self, weights: &[f32], n: usize, batch: usize, rng: &mut Stream) -> Vec<usize> {
        if self == Self::Weighted {
            return weighted_draws(weights, n, rng);
        }
        let taking_part = (0..weights.len()).filter(|&row| weights[row] > 0.0).collect::<Vec<_>>();
        // fewer than one batch: the same ones fill it
        let taking_part = taking_part.iter().copied().cycle().take(taking_part.len().max(batch)).collect::<Vec<_>>();
        let mut rows = Vec::with_capacity(n + batch);
        while rows.len() < n {
            match self {
                Self::Shuffled => {
                    let around = shuffled_batches(taking_part.len(), batch, true, rng);
                    rows.extend(around.into_iter().flatten().map(|i| taking_part[i]));
                }
                _ => rows.extend(&taking_part[..taking_part.len() / batch * batch]),
            }
        }
        rows.truncate(n);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    const WEIGHTS: [f32; 6] = [1.0, 0.0, 1.0, 1.0, 0.0, 0.5];

    fn rows(draw: Draw, n: usize, batch: usize) -> Vec<usize> {
        draw.rows(&WEIGHTS, n, batch, &mut Streams::new(5).named("draws"))
    }

    #[test]
    fn in_order_goes_around_and_leaves_out_who_has_no_weight() {
        assert_eq!(rows(Draw::InOrder, 6, 2), [0, 2, 3, 5, 0, 2]);
        // the last smaller batch is left out
        assert_eq!(rows(Draw::InOrder, 6, 3), [0, 2, 3, 0, 2, 3]);
        assert_eq!(rows(Draw::InOrder, 8, 8), [0, 2, 3, 5, 0, 2, 3, 5]);
        assert_eq!((Draw::InOrder.around(&WEIGHTS), Draw::Weighted.around(&WEIGHTS)), (4, 6));
    }

    #[test]
    fn shuffled_sees_each_once_before_any_twice() {
        let drawn = rows(Draw::Shuffled, 8, 2);
        for half in drawn.chunks(4) {
            let mut sorted = half.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 2, 3, 5]);
        }
    }

    #[test]
    fn weighted_draws_only_who_has_a_weight() {
        assert!(rows(Draw::Weighted, 200, 10).iter().all(|&r| WEIGHTS[r] > 0.0));
    }
}
