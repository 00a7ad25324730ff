use crate::{Points, dot};
use rayon::prelude::*;

/// A shift and a power of two that bring points near the origin and their largest norm near 1.
///
/// Distances `|x|^2 - 2xy + |y|^2` then lose few digits, and neither overflow nor vanish. Scaling by a power of two
/// rounds nothing.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    mean: Vec<f32>,
    scale: f32,
}

impl Frame {
    /// The frame of some points: their mean, and a scale after which the largest norm is at most 1.
    pub(crate) fn of(points: Points<'_>) -> Self {
        let (n, d) = (points.len(), points.dim());
        // fixed blocks: the same sums for any number of threads
        let blocks = points
            .par_blocks(1024)
            .map(|block| {
                let mut sum = vec![0.0f64; d];
                for row in block.chunks_exact(d) {
                    sum.iter_mut().zip(row).for_each(|(s, &x)| *s += f64::from(x));
                }
                sum
            })
            .collect::<Vec<_>>();
        let mut mean = vec![0.0f64; d];
        for block in blocks {
            mean.iter_mut().zip(block).for_each(|(m, s)| *m += s);
        }
        let mean = mean.into_iter().map(|m| (m / n as f64) as f32).collect::<Vec<_>>();
        let squared = |row: &[f32]| row.iter().zip(&mean).map(|(&x, &m)| (f64::from(x) - f64::from(m)).powi(2)).sum();
        let largest = points
            .par_blocks(256)
            .map(|block| block.chunks_exact(d).map(squared).fold(0.0, f64::max))
            .reduce(|| 0.0, f64::max);
        let exponent = if largest > 0.0 { -(largest.sqrt().log2().floor() as i32) - 1 } else { 0 };
        Self { mean, scale: 2f32.powi(exponent.clamp(-126, 126)) }
    }

    /// Writes a row in this frame and returns its squared norm.
    #[inline]
    pub(crate) fn put(&self, row: &[f32], factor: f32, out: &mut [f32]) -> f32 {
        for ((o, &x), &m) in out.iter_mut().zip(row).zip(&self.mean) {
            // the difference of two large numbers of opposite sign may overflow before it is scaled down
            *o = x * self.scale - m * self.scale;
        }
        let norm = dot(out, out) as f32;
        if factor != 1.0 {
            for o in out {
                *o *= factor;
            }
        }
        norm
    }

    /// Squared norms of all points in this frame.
    pub(crate) fn norms(&self, points: Points<'_>) -> Vec<f32> {
        let put = |buffer: &mut Vec<f32>, i: usize| self.put(&points.row(i), 1.0, buffer);
        (0..points.len()).into_par_iter().map_init(|| vec![0.0; points.dim()], put).collect()
    }

    /// A squared distance of this frame in the units of the data.
    pub(crate) fn unscaled(&self, squared: f64) -> f64 {
        let s = f64::from(self.scale);
        squared / (s * s)
    }

    /// A squared distance of the data in this frame.
    pub(crate) fn scaled(&self, squared: f64) -> f64 {
        let s = f64::from(self.scale);
        squared * (s * s)
    }
}
