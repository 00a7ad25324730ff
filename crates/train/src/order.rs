use hybridrepair_core::Stream;
use rand::{Rng, seq::SliceRandom};

/// The numbers `0..n` in random order, cut into batches.
pub fn shuffled_batches(n: usize, batch: usize, drop_last: bool, rng: &mut Stream) -> Vec<Vec<usize>> {
    let mut order = (0..n).collect::<Vec<_>>();
    order.shuffle(rng);
    let mut batches = order.chunks(batch.max(1)).map(<[usize]>::to_vec).collect::<Vec<_>>();
    if drop_last && batches.len() > 1 && batches.last().is_some_and(|b| b.len() < batch) {
        batches.pop();
    }
    batches
}

/// `draws` positions with replacement, each with probability proportional to its weight; empty when all weights are 0.
pub fn weighted_draws(weights: &[f32], draws: usize, rng: &mut Stream) -> Vec<usize> {
    let cumulative = weights
        .iter()
        .scan(0.0f64, |sum, &w| {
            *sum += f64::from(w.max(0.0));
            Some(*sum)
        })
        .collect::<Vec<_>>();
    let total = cumulative.last().copied().unwrap_or(0.0);
    if total <= 0.0 {
        return Vec::new();
    }
    (0..draws)
        .map(|_| {
            let x = rng.gen_range(0.0..total);
            // the first position whose cumulative weight exceeds x: positions of weight 0 are never drawn
            cumulative.partition_point(|&c| c <= x).min(weights.len() - 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn batches_cover_everything_once() {
        let rng = || Streams::new(1).named("t");
        let mut all = shuffled_batches(10, 4, false, &mut rng()).concat();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        assert_eq!(shuffled_batches(10, 4, true, &mut rng()).len(), 2);
        assert_eq!(shuffled_batches(3, 4, true, &mut rng()).len(), 1, "a small set is not dropped whole");
    }

    #[test]
    fn draws_follow_the_weights_and_never_hit_zero() {
        let draws = weighted_draws(&[0.0, 1.0, 3.0, 0.0], 40_000, &mut Streams::new(2).named("t"));
        let count = |i| draws.iter().filter(|&&d| d == i).count();
        assert_eq!((count(0), count(3)), (0, 0));
        assert!((count(2) as f64 / 40_000.0 - 0.75).abs() < 0.01);
        assert!(weighted_draws(&[0.0, 0.0], 5, &mut Streams::new(2).named("t")).is_empty());
    }
}
