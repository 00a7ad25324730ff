use hybridrepair_core::Stream;
use rand::RngCore;

/// The draws of one picture. Only `+ - * /` on numbers of the stream, so that every machine draws the same.
pub(super) struct Dice(Stream);

impl Dice {
    pub(super) fn new(stream: Stream) -> Self {
        Self(stream)
    }

    /// Uniform in [0, 1), in steps of 2^-24.
    pub(super) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / 16_777_216.0
    }

    /// Uniform in [lo, hi).
    pub(super) fn between(&mut self, lo: f32, hi: f32) -> f32 {
        lo + (hi - lo) * self.unit()
    }

    /// Uniform in [-reach, reach).
    pub(super) fn around(&mut self, reach: f32) -> f32 {
        self.between(-reach, reach)
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// Uniform in 0..n.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// -1 or 1.
    pub(super) fn side(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// An index with probability proportional to its weight.
    pub(super) fn weighted(&mut self, weights: impl Iterator<Item = f32> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f32>();
        let mut last = 0;
        for (i, w) in weights.enumerate() {
            if w > 0.0 {
                last = i;
                if left < w {
                    return i;
                }
            }
            left -= w;
        }
        last
    }

    /// Two nearly normal numbers of mean 0 and variance 1: each the sum of four uniform ones (Irwin-Hall).
    pub(super) fn normal_pair(&mut self) -> [f32; 2] {
        let mut halves = [0.0f32; 2];
        for half in &mut halves {
            let bits = self.0.next_u64();
            let sum: u32 = (0..4).map(|k| (bits >> (16 * k)) as u32 & 0xffff).sum();
            // four uniforms on [0, 2^16) have mean 2 * 2^16 and variance 2^32 / 3
            *half = (sum as f32 - 131_070.0) / 37_837.2;
        }
        halves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn draws_have_the_moments_that_they_should() {
        let mut dice = Dice::new(Streams::new(0).named("test"));
        let n = 40_000;
        let normal: Vec<f64> = (0..n / 2).flat_map(|_| dice.normal_pair()).map(f64::from).collect();
        let mean = normal.iter().sum::<f64>() / f64::from(n);
        let variance = normal.iter().map(|v| v * v).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        let unit: f64 = (0..n).map(|_| f64::from(dice.unit())).sum::<f64>() / f64::from(n);
        assert!((unit - 0.5).abs() < 0.01);
    }

    #[test]
    fn weights_are_respected_and_zero_is_never_drawn() {
        let mut dice = Dice::new(Streams::new(1).named("test"));
        let mut counts = [0u32; 4];
        for _ in 0..10_000 {
            counts[dice.weighted([1.0, 0.0, 3.0, 0.0].into_iter())] += 1;
        }
        assert_eq!((counts[1], counts[3]), (0, 0));
        assert!((2300..2700).contains(&counts[0]), "{counts:?}");
    }
}
