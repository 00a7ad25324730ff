use hybridrepair_core::Embeddings;
use hybridrepair_kernels::{dot, inverse_length};

/// Gains in `f64`, from the embeddings themselves: what decides between candidates that are equal in `f32`.
pub(crate) struct Exact {
    x: Embeddings,
    rows: Vec<u32>,
    /// `1 / length`, 0 for a zero row.
    inverse: Vec<f64>,
    sharpness: f64,
    /// The row to which each row is most like among what covers; `u32::MAX` when nothing does.
    nearest: Vec<u32>,
}

/// Likenesses in `f32` are right within this.
const ERROR: f32 = 1e-5;

impl Exact {
    /// For the Gaussian `exp(-sharpness |x - x'|^2)` on some rows at unit length.
    pub(crate) fn new(x: &Embeddings, rows: &[u32], sharpness: f64) -> Self {
        let inverse = |&row: &u32| inverse_length(x.row(row as usize));
        let (inverse, nearest) = (rows.iter().map(inverse).collect(), vec![u32::MAX; rows.len()]);
        Self { x: x.clone(), rows: rows.to_vec(), inverse, sharpness, nearest }
    }

    /// Notes what a row is now most like.
    pub(crate) fn covered_by(&mut self, row: usize, pos: usize) {
        self.nearest[row] = pos as u32;
    }

    fn likeness(&self, a: usize, b: usize) -> f64 {
        let (row, other) = (self.x.row(self.rows[a] as usize), self.x.row(self.rows[b] as usize));
        let length = |inverse: f64| f64::from(u8::from(inverse > 0.0));
        let product = dot(row, other) * self.inverse[a] * self.inverse[b];
        let squared = length(self.inverse[a]) + length(self.inverse[b]) - 2.0 * product;
        (-self.sharpness * squared.max(0.0)).exp()
    }

    /// `sum_n w_n [k(x_n, c) - m_n]_+`; the `f32` likenesses tell which rows can count at all.
    pub(crate) fn gain(&self, pos: usize, column: &[f32], near: &[f32], weights: &[f32]) -> f64 {
        let mut sum = 0.0;
        for (i, (&k, &m)) in column.iter().zip(near).enumerate() {
            if weights[i] > 0.0 && k > m - ERROR {
                let before = if self.nearest[i] == u32::MAX { 0.0 } else { self.likeness(i, self.nearest[i] as usize) };
                sum += f64::from(weights[i]) * (self.likeness(i, pos) - before).max(0.0);
            }
        }
        sum
    }
}
