//! From `uint8` pixels to the network's `f32` input.

use crate::draw::{below, coin};
use crate::{DataError, Normalization};
use hybridrepair_core::Stream;

/// The test transform: scales pixels to [0, 1] and normalises each channel, by table.
///
/// `(v / 255 - mean) / std` in `f32`, the same three operations in the same order as `ToTensor` and `Normalize` of
/// torchvision, so the result is theirs to the bit.
#[derive(Clone)]
pub struct Normalizer {
    table: Box<[[f32; 256]; 3]>,
}

impl Normalizer {
    /// Tables for these channel statistics.
    ///
    /// # Errors
    /// When a mean is not finite, or a standard deviation is not positive and finite.
    pub fn new(normalization: Normalization) -> Result<Self, DataError> {
        let mut table = Box::new([[0.0; 256]; 3]);
        for (c, row) in table.iter_mut().enumerate() {
            let (mean, std) = (normalization.mean[c], normalization.std[c]);
            if !mean.is_finite() {
                return Err(DataError::Value { what: "mean", given: mean.to_string(), why: "is not finite" });
            }
            if !(std.is_finite() && std > 0.0) {
                let why = "is not a positive number";
                return Err(DataError::Value { what: "standard deviation", given: std.to_string(), why });
            }
            for (v, out) in row.iter_mut().enumerate() {
                *out = (v as f32 / 255.0 - mean) / std;
            }
        }
        Ok(Self { table })
    }

    /// Normalises whole pictures, NHWC in and out.
    ///
    /// # Panics
    /// When `out` is not as long as `pixels`.
    pub fn apply(&self, pixels: &[u8], out: &mut [f32]) {
        assert_eq!(pixels.len(), out.len(), "one number per byte");
        let [r, g, b] = &*self.table;
        for (o, p) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels.as_chunks::<3>().0) {
            *o = [r[p[0] as usize], g[p[1] as usize], b[p[2] as usize]];
        }
    }

    /// `(1 - m) pre(clean) + m pre(changed)`: the blend of two pictures in normalised space.
    ///
    /// # Panics
    /// When the three are not equally long.
    pub fn blend(&self, clean: &[u8], changed: &[u8], m: f32, out: &mut [f32]) {
        assert!(clean.len() == changed.len() && clean.len() == out.len(), "one number per byte");
        let [r, g, b] = &*self.table;
        let k = 1.0 - m;
        let pairs = clean.as_chunks::<3>().0.iter().zip(changed.as_chunks::<3>().0);
        for (o, (p, q)) in out.as_chunks_mut::<3>().0.iter_mut().zip(pairs) {
            *o = [
                k * r[p[0] as usize] + m * r[q[0] as usize],
                k * g[p[1] as usize] + m * g[q[1] as usize],
                k * b[p[2] as usize] + m * b[q[2] as usize],
            ];
        }
    }

    /// A black pixel after normalisation.
    pub fn black(&self) -> [f32; 3] {
        [self.table[0][0], self.table[1][0], self.table[2][0]]
    }
}

impl std::fmt::Debug for Normalizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Normalizer(black = {:?})", self.black())
    }
}

/// The train transform: horizontal flip with probability 1/2, then a random crop of the picture padded with black, then
/// normalisation (`HybridRepair`, section 1.1: flip and padding 4 on 32x32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainTransform {
    /// Whether to flip half of the pictures.
    pub flip: bool,
    /// Black pixels added on each side before the crop; 0 for no crop.
    pub padding: usize,
}

impl TrainTransform {
    /// The published one.
    pub const PUBLISHED: Self = Self { flip: true, padding: 4 };

    /// No change: equals the test transform.
    pub const NONE: Self = Self { flip: false, padding: 0 };

    /// Transforms one picture of `height x width x 3` bytes.
    ///
    /// # Panics
    /// When `image` or `out` is not `height * width * 3` long.
    pub fn apply(
        &self,
        image: &[u8],
        (height, width): (usize, usize),
        normalizer: &Normalizer,
        stream: &mut Stream,
        out: &mut [f32],
    ) {
        assert!(image.len() == height * width * 3 && out.len() == image.len(), "a picture of the stated size");
        let flip = self.flip && coin(stream);
        let p = self.padding;
        let (dy, dx) = if p > 0 { (below(stream, 2 * p + 1), below(stream, 2 * p + 1)) } else { (0, 0) };
        // output (y, x) shows the flipped picture at (y + dy - p, x + dx - p)
        let (left, from) = (p.saturating_sub(dx).min(width), dx.saturating_sub(p).min(width));
        let run = width - left.max(from);
        let black = normalizer.black();
        for (y, row) in out.chunks_exact_mut(width * 3).enumerate() {
            let source = (y + dy).checked_sub(p).filter(|&s| s < height);
            let pixels = row.as_chunks_mut::<3>().0;
            let Some(source) = source else {
                pixels.fill(black);
                continue;
            };
            let line = &image[source * width * 3..(source + 1) * width * 3];
            pixels[..left].fill(black);
            pixels[left + run..].fill(black);
            let seen = &mut pixels[left..left + run];
            if flip {
                let line = line.as_chunks::<3>().0;
                let [r, g, b] = &*normalizer.table;
                for (o, q) in seen.iter_mut().zip(line[width - from - run..width - from].iter().rev()) {
                    *o = [r[q[0] as usize], g[q[1] as usize], b[q[2] as usize]];
                }
            } else {
                normalizer.apply(&line[from * 3..(from + run) * 3], seen.as_flattened_mut());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use proptest::prelude::*;

    const NORM: Normalization = Normalization { mean: [0.5, 0.25, 0.0], std: [0.25, 0.5, 1.0] };

    fn ramp(h: usize, w: usize) -> Vec<u8> {
        (0..h * w * 3).map(|i| (i * 7 % 251 + 1) as u8).collect()
    }

    #[test]
    fn pixels_are_scaled_and_normalised() {
        let n = Normalizer::new(NORM).unwrap();
        let mut out = [0.0; 6];
        n.apply(&[0, 0, 0, 255, 255, 51], &mut out);
        assert_eq!(out, [-2.0, -0.5, 0.0, 2.0, 1.5, 51.0 / 255.0]);
        let mut half = [0.0; 3];
        n.blend(&[0, 0, 0], &[255, 255, 255], 0.5, &mut half);
        assert_eq!(half, [0.0, 0.5, 0.5]);
    }

    #[test]
    fn impossible_statistics_are_refused() {
        for std in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(Normalizer::new(Normalization { mean: [0.0; 3], std: [1.0, std, 1.0] }).is_err());
        }
        assert!(Normalizer::new(Normalization { mean: [f32::NAN, 0.0, 0.0], std: [1.0; 3] }).is_err());
    }

    /// The same transform written pixel by pixel.
    fn slow(
        image: &[u8],
        (h, w): (usize, usize),
        flip: bool,
        (dy, dx): (usize, usize),
        p: usize,
        n: &Normalizer,
    ) -> Vec<f32> {
        let mut out = vec![0.0; image.len()];
        for y in 0..h {
            for x in 0..w {
                for c in 0..3 {
                    let (sy, sx) = ((y + dy) as isize - p as isize, (x + dx) as isize - p as isize);
                    let inside = sy >= 0 && sx >= 0 && sy < h as isize && sx < w as isize;
                    let v = if inside {
                        let sx = if flip { w - 1 - sx as usize } else { sx as usize };
                        image[(sy as usize * w + sx) * 3 + c]
                    } else {
                        0
                    };
                    out[(y * w + x) * 3 + c] = n.table[c][v as usize];
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn crop_and_flip_equal_the_slow_way(h in 1usize..9, w in 1usize..9, p in 0usize..12, flip: bool, seed: u64) {
            let (n, image) = (Normalizer::new(NORM).unwrap(), ramp(h, w));
            let mut out = vec![9.0; image.len()];
            let mut stream = Streams::new(seed).named("t");
            TrainTransform { flip, padding: p }.apply(&image, (h, w), &n, &mut stream, &mut out);
            let mut again = Streams::new(seed).named("t");
            let flipped = flip && coin(&mut again);
            let (dy, dx) = if p > 0 { (below(&mut again, 2 * p + 1), below(&mut again, 2 * p + 1)) } else { (0, 0) };
            prop_assert_eq!(out, slow(&image, (h, w), flipped, (dy, dx), p, &n));
        }
    }

    #[test]
    fn all_offsets_and_both_sides_occur() {
        let n = Normalizer::new(NORM).unwrap();
        let image = ramp(8, 8);
        let mut seen = std::collections::BTreeSet::new();
        let mut stream = Streams::new(1).named("t");
        for _ in 0..3000 {
            let mut out = vec![0.0; image.len()];
            TrainTransform { flip: true, padding: 2 }.apply(&image, (8, 8), &n, &mut stream, &mut out);
            seen.insert(out.iter().map(|v| v.to_bits()).collect::<Vec<_>>());
        }
        assert_eq!(seen.len(), 2 * 5 * 5);
    }
}
