//! Strong augmentation for semi-supervised training.

use crate::{Normalizer, Op, TrainTransform, draw::below, draw::coin, draw::unit};
use hybridrepair_core::Stream;

/// Flip and crop, some random operations, and a grey square: the strong view of `FixMatch` (Sohn et al. 2020, appendix D;
/// `RandAugment`, Cubuk et al. 2020; `Cutout`, `DeVries` and Taylor 2017).
///
/// Each operation is drawn uniformly from 14 and its strength uniformly from the range of that paper. The operations give
/// Pillow's bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandAugment {
    /// Operations in a row; 2 in the paper.
    pub ops: usize,
    /// Side of the grey square as a share of the picture's, in [0, 1]; 0 for none, 0.5 in the paper.
    pub cutout: f64,
    /// Flip and crop, which come after the operations here: only what leaves the frame differs.
    pub weak: TrainTransform,
}

impl RandAugment {
    /// Draws one of the 14 operations; `None` is the identity.
    fn draw((height, width): (usize, usize), stream: &mut Stream) -> Option<Op> {
        let kind = below(stream, 14);
        let strength = unit(stream);
        let negative = coin(stream);
        let sign = |v: f64| if negative { -v } else { v };
        let blend = (0.05 + 0.9 * strength) as f32;
        let shift = |side: usize| sign(strength * 0.3 * side as f64).round() as i32;
        Some(match kind {
            0 => return None,
            1 => Op::Autocontrast,
            2 => Op::Brightness(blend),
            3 => Op::Color(blend),
            4 => Op::Contrast(blend),
            5 => Op::Equalize,
            6 => Op::Posterize(4 + below(stream, 5) as u32),
            7 => Op::Rotate(sign(strength * 30.0).round() as i32),
            8 => Op::Sharpness(blend),
            9 => Op::ShearX(sign(strength * 0.3)),
            10 => Op::ShearY(sign(strength * 0.3)),
            11 => Op::Solarize((strength * 256.0) as u32),
            12 => Op::TranslateX(shift(width)),
            _ => Op::TranslateY(shift(height)),
        })
    }

    /// Augments one picture of `height x width x 3` bytes and normalises it. `scratch` is working space.
    ///
    /// # Panics
    /// When `image` or `out` is not `height * width * 3` long.
    pub fn apply(
        &self,
        image: &[u8],
        size: (usize, usize),
        normalizer: &Normalizer,
        stream: &mut Stream,
        scratch: &mut [Vec<u8>; 2],
        out: &mut [f32],
    ) {
        let [now, next] = scratch;
        now.clear();
        now.extend_from_slice(image);
        next.resize(image.len(), 0);
        for _ in 0..self.ops {
            if let Some(op) = Self::draw(size, stream) {
                op.apply(size, now, next);
                std::mem::swap(now, next);
            }
        }
        self.weak.apply(now, size, normalizer, stream, out);
        self.cut_out(size, stream, out);
    }

    /// Paints a square around a random pixel in the mean colour, which is 0 after normalisation.
    fn cut_out(&self, (height, width): (usize, usize), stream: &mut Stream, out: &mut [f32]) {
        let side = (self.cutout * height.min(width) as f64).round() as usize;
        if side == 0 {
            return;
        }
        let (y, x) = (below(stream, height), below(stream, width));
        let span = |at: usize, end: usize| at.saturating_sub(side / 2)..(at + side.div_ceil(2)).min(end);
        for row in span(y, height) {
            let columns = span(x, width);
            out[(row * width + columns.start) * 3..(row * width + columns.end) * 3].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Normalization;
    use hybridrepair_core::Streams;

    const NORM: Normalization = Normalization { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25] };
    const SIZE: (usize, usize) = (16, 12);

    fn picture() -> Vec<u8> {
        (0..16 * 12 * 3u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    fn apply(rule: RandAugment, key: u64) -> Vec<f32> {
        let (normalizer, mut out) = (Normalizer::new(NORM).unwrap(), vec![9.0; 16 * 12 * 3]);
        let mut stream = Streams::new(1).at("strong", 0, key);
        rule.apply(&picture(), SIZE, &normalizer, &mut stream, &mut [vec![], vec![]], &mut out);
        out
    }

    #[test]
    fn without_operations_and_square_it_is_the_weak_transform() {
        let rule = RandAugment { ops: 0, cutout: 0.0, weak: TrainTransform::NONE };
        let mut plain = vec![0.0; 16 * 12 * 3];
        Normalizer::new(NORM).unwrap().apply(&picture(), &mut plain);
        assert_eq!(apply(rule, 0), plain);
    }

    #[test]
    fn the_square_is_half_a_side_unless_the_edge_cuts_it() {
        let rule = RandAugment { ops: 0, cutout: 0.5, weak: TrainTransform::NONE };
        let grey = |key| apply(rule, key).as_chunks::<3>().0.iter().filter(|p| **p == [0.0; 3]).count();
        let sizes = (0..200).map(grey).collect::<Vec<_>>();
        assert_eq!(sizes.iter().max(), Some(&36));
        assert!(sizes.iter().all(|&s| s >= 9), "{:?}", sizes.iter().min());
    }

    #[test]
    fn all_operations_occur_equally_often_within_their_ranges() {
        let mut stream = Streams::new(2).named("ops");
        let mut kinds = std::collections::BTreeMap::<String, usize>::new();
        for _ in 0..28_000 {
            let op = RandAugment::draw((32, 32), &mut stream);
            match op {
                Some(Op::Brightness(f) | Op::Color(f) | Op::Contrast(f) | Op::Sharpness(f)) => {
                    assert!((0.05..=0.95).contains(&f));
                }
                Some(Op::Rotate(d)) => assert!(d.abs() <= 30),
                Some(Op::Posterize(bits)) => assert!((4..=8).contains(&bits)),
                Some(Op::TranslateX(t) | Op::TranslateY(t)) => assert!(t.abs() <= 10),
                _ => {}
            }
            let name = format!("{op:?}").replace("Some(", "");
            *kinds.entry(name.split(['(', ')']).next().unwrap_or_default().to_owned()).or_default() += 1;
        }
        assert_eq!(kinds.len(), 14, "{kinds:?}");
        assert!(kinds.values().all(|n| (1800..2200).contains(n)), "{kinds:?}");
    }
}
