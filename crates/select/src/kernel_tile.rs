//! Gaussian kernels between rows by blocks of matrix products, never `n x n` at once.

use hybridrepair_core::Embeddings;
use ndarray::{Array2, ArrayView2, linalg::general_mat_mul, s};
use rayon::prelude::*;

/// Rows of a tile; sums of so many numbers stay in f32.
pub(crate) const TILE: usize = 256;
/// Rows of tiles worked on before their sums are added up in order: bounds the memory of partial sums.
const STRIPE: usize = 64;

/// Rows, and the kernel `exp(-|x - y|^2 / h^2)` between them.
pub(crate) struct Tiles {
    rows: Embeddings,
    norms: Vec<f32>,
    /// `1 / h^2`.
    sharpness: f32,
}

impl Tiles {
    pub(crate) fn new(rows: Embeddings, width: f64) -> Self {
        let norms = (0..rows.len()).map(|i| crate::vector::dot(rows.row(i), rows.row(i)) as f32).collect();
        // beyond these ends the kernel is 1 or 0 in f32 anyway
        let sharpness = (1.0 / (width * width)).clamp(1e-30, 1e30) as f32;
        Self { rows, norms, sharpness }
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn block(&self, block: usize) -> std::ops::Range<usize> {
        block * TILE..((block + 1) * TILE).min(self.len())
    }

    /// `sum_n w_n [k(x_n, c) - m_n]_+` for each row `c`. Each pair of rows is looked at once.
    pub(crate) fn gains(&self, weights: &[f32], near: &[f32]) -> Vec<f64> {
        let blocks = self.len().div_ceil(TILE);
        let mut gains = vec![0f64; self.len()];
        for stripe in (0..blocks).collect::<Vec<_>>().chunks(STRIPE) {
            // for block row I: sums for its own rows and, from J = I on, for the rows of J
            let partial: Vec<(Vec<f64>, Vec<f64>)> =
                stripe.par_iter().map(|&i| self.block_row(i, blocks, weights, near)).collect();
            for (&i, (own, others)) in stripe.iter().zip(&partial) {
                let first = self.block(i).start;
                gains[first..].iter_mut().zip(own).for_each(|(g, p)| *g += p);
                let next = self.block(i).end;
                gains[next..].iter_mut().zip(others).for_each(|(g, p)| *g += p);
            }
        }
        gains
    }

    fn block_row(&self, i: usize, blocks: usize, weights: &[f32], near: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let of_i = self.block(i);
        let mut own = vec![0f64; of_i.len()];
        let mut others = vec![0f64; self.len() - of_i.end];
        let mut tile = Array2::<f32>::zeros((of_i.len(), TILE));
        for j in i..blocks {
            let of_j = self.block(j);
            let mut tile = tile.slice_mut(s![.., ..of_j.len()]);
            let (a, b) = (self.view(of_i.clone()), self.view(of_j.clone()));
            general_mat_mul(1.0, &a, &b.t(), 0.0, &mut tile);
            let mut columns = vec![0f32; of_j.len()];
            for (r, mut row) in tile.outer_iter_mut().enumerate() {
                let Some(row) = row.as_slice_mut() else { continue };
                let at = of_i.start + r;
                self.kernel(row, self.norms[at], &self.norms[of_j.clone()]);
                own[r] += gain_block(&weights[of_j.clone()], &near[of_j.clone()], row);
                if j > i {
                    let (w, m) = (weights[at], near[at]);
                    columns.iter_mut().zip(&*row).for_each(|(sum, &k)| *sum += w * (k - m).max(0.0));
                }
            }
            if j > i {
                let slot = &mut others[of_j.start - of_i.end..];
                slot.iter_mut().zip(&columns).for_each(|(sum, &c)| *sum += f64::from(c));
            }
        }
        (own, others)
    }

    /// The kernel between each of some rows and all rows.
    pub(crate) fn columns(&self, of: &[usize]) -> Vec<Vec<f32>> {
        let Ok(picked) = self.rows.select(of) else { return Vec::new() };
        let parts: Vec<Array2<f32>> = (0..self.len().div_ceil(TILE))
            .into_par_iter()
            .map(|j| {
                let of_j = self.block(j);
                let mut tile = Array2::zeros((of.len(), of_j.len()));
                general_mat_mul(1.0, &picked.view(), &self.view(of_j.clone()).t(), 0.0, &mut tile);
                for (r, mut row) in tile.outer_iter_mut().enumerate() {
                    if let Some(row) = row.as_slice_mut() {
                        self.kernel(row, self.norms[of[r]], &self.norms[of_j.clone()]);
                    }
                }
                tile
            })
            .collect();
        let column = |r: usize| parts.iter().flat_map(|tile| tile.row(r).to_vec()).collect();
        (0..of.len()).map(column).collect()
    }

    fn view(&self, rows: std::ops::Range<usize>) -> ArrayView2<'_, f32> {
        self.rows.view().slice_move(s![rows, ..])
    }

    /// Inner products with a row of squared norm `norm` become kernel values.
    fn kernel(&self, inner: &mut [f32], norm: f32, norms: &[f32]) {
        for (value, &other) in inner.iter_mut().zip(norms) {
            let d2 = (norm + other - 2.0 * *value).max(0.0);
            *value = exp_negative(-d2 * self.sharpness);
        }
    }
}

/// `sum w [k - m]_+` of at most [`TILE`] numbers in 16 lanes.
pub(crate) fn gain_block(weights: &[f32], near: &[f32], kernel: &[f32]) -> f64 {
    let mut lanes = [0f32; 16];
    let ((w, w_rest), (m, m_rest), (k, k_rest)) =
        (weights.as_chunks::<16>(), near.as_chunks::<16>(), kernel.as_chunks::<16>());
    for ((w, m), k) in w.iter().zip(m).zip(k) {
        for l in 0..16 {
            lanes[l] += w[l] * (k[l] - m[l]).max(0.0);
        }
    }
    let rest = w_rest.iter().zip(m_rest).zip(k_rest).map(|((w, m), k)| w * (k - m).max(0.0));
    lanes.iter().copied().chain(rest).map(f64::from).sum()
}

/// `e^x` for `x <= 0` within 3e-7 relative, 0 below -87; written so that the compiler uses vector registers.
fn exp_negative(x: f32) -> f32 {
    // adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits
    const ROUND: f32 = 12_582_912.0;
    let y = x.max(-87.0) * std::f32::consts::LOG2_E;
    let shifted = y + ROUND;
    let fraction = (y - (shifted - ROUND)) * std::f32::consts::LN_2;
    let series = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = series.iter().fold(0.0f32, |sum, c| sum * fraction + c);
    // 2^integer by adding to the exponent
    let scaled = f32::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 23));
    if x < -87.0 { 0.0 } else { scaled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_one() {
        assert_eq!(exp_negative(0.0), 1.0);
        for i in 0..=86_000 {
            let x = -(i as f32) / 1000.0;
            let want = f64::from(x).exp();
            // the rounding of x * log2(e) grows with x
            let allowed = 3e-7 + 1.2e-7 * f64::from(-x);
            assert!((f64::from(exp_negative(x)) - want).abs() <= allowed * want, "{x}");
        }
        assert_eq!(exp_negative(-88.0), 0.0);
        assert_eq!(exp_negative(f32::MIN), 0.0);
    }
}
