//! The few random numbers that pictures need, written out so that no release of a library can change them.

use hybridrepair_core::Stream;
use rand::RngCore;

/// Uniform in `0..n` (bias below `n / 2^32`).
pub(crate) fn below(stream: &mut Stream, n: usize) -> usize {
    ((u64::from(stream.next_u32()) * n as u64) >> 32) as usize
}

/// Uniform in [0, 1), 53 bits.
pub(crate) fn unit(stream: &mut Stream) -> f64 {
    (stream.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// True with probability 1/2.
pub(crate) fn coin(stream: &mut Stream) -> bool {
    stream.next_u32() >> 31 == 1
}

/// Exponential with rate 1; never 0 and never infinite.
pub(crate) fn exponential(stream: &mut Stream) -> f64 {
    // 1 - u lies in (0, 1]; the shift by half a step keeps it off both ends
    -(unit(stream) + 0.5 / (1u64 << 53) as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn numbers_stay_in_range_and_cover_it() {
        let mut s = Streams::new(0).named("draw");
        let mut seen = [0usize; 9];
        let (mut sum, mut heads, mut wait) = (0.0, 0, 0.0);
        for _ in 0..9000 {
            seen[below(&mut s, 9)] += 1;
            let u = unit(&mut s);
            assert!((0.0..1.0).contains(&u));
            sum += u;
            heads += usize::from(coin(&mut s));
            wait += exponential(&mut s);
        }
        assert!(seen.iter().all(|&n| (850..1150).contains(&n)), "{seen:?}");
        assert!((sum / 9000.0 - 0.5).abs() < 0.02 && (heads as f64 / 9000.0 - 0.5).abs() < 0.03);
        assert!((wait / 9000.0 - 1.0).abs() < 0.05);
    }
}
