use super::layer::{Init, Layer, Memory, Statistics, Tensor};

const EPSILON: f32 = 1e-5;
const MOMENTUM: f32 = 0.1;

/// Batch normalisation of every column over all rows, with running statistics as `PyTorch` keeps them: means, then
/// variances, the latter unbiased.
pub(crate) struct BatchNorm {
    pub(crate) channels: usize,
}

impl BatchNorm {
    /// Means and (biased) variances of the columns.
    fn moments(&self, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (c, rows) = (self.channels, (x.len() / self.channels) as f64);
        let mut mean = vec![0.0f64; c];
        for row in x.chunks_exact(c) {
            mean.iter_mut().zip(row).for_each(|(m, &v)| *m += f64::from(v));
        }
        for m in &mut mean {
            *m /= rows;
        }
        let mut variance = vec![0.0f64; c];
        for row in x.chunks_exact(c) {
            for ((s, m), &v) in variance.iter_mut().zip(&mean).zip(row) {
                *s += (f64::from(v) - m).powi(2);
            }
        }
        (mean.iter().map(|&m| m as f32).collect(), variance.iter().map(|s| (s / rows) as f32).collect())
    }
}

impl Layer for BatchNorm {
    fn tensors(&self) -> Vec<Tensor> {
        let tensor = |name, value| Tensor { name, shape: vec![self.channels], init: Init::Constant(value) };
        vec![tensor("weight", 1.0), tensor("bias", 0.0)]
    }

    fn statistics(&self) -> Vec<f32> {
        [vec![0.0; self.channels], vec![1.0; self.channels]].concat()
    }

    fn forward(&self, params: &[f32], mut x: Vec<f32>, _: usize, statistics: Statistics<'_>) -> (Vec<f32>, Memory) {
        let c = self.channels;
        let (gamma, beta) = params.split_at(c);
        let (mean, variance) = match statistics {
            Statistics::Running(s) => (s[..c].to_vec(), s[c..].to_vec()),
            Statistics::Batch => self.moments(&x),
            Statistics::Noted(running) => {
                let (mean, variance) = self.moments(&x);
                let rows = (x.len() / c) as f32;
                let unbiased = rows / (rows - 1.0).max(1.0);
                for (s, &m) in running.iter_mut().zip(mean.iter()) {
                    *s += MOMENTUM * (m - *s);
                }
                for (s, &v) in running[c..].iter_mut().zip(&variance) {
                    *s += MOMENTUM * (v * unbiased - *s);
                }
                (mean, variance)
            }
        };
        let scale: Vec<f32> = variance.iter().map(|v| 1.0 / (v + EPSILON).sqrt()).collect();
        for row in x.chunks_exact_mut(c) {
            for ((v, m), s) in row.iter_mut().zip(&mean).zip(&scale) {
                *v = (*v - m) * s;
            }
        }
        let y = x.chunks_exact(c).flat_map(|row| (0..c).map(move |j| row[j] * gamma[j] + beta[j])).collect();
        (y, vec![x, scale])
    }

    fn backward(
        &self,
        params: &[f32],
        memory: &Memory,
        mut dy: Vec<f32>,
        _: usize,
        grads: &mut [f32],
        _: bool,
    ) -> Vec<f32> {
        let c = self.channels;
        let (normal, scale) = (&memory[0], &memory[1]);
        let rows = (dy.len() / c) as f32;
        let (mut along, mut sum) = (vec![0.0f64; c], vec![0.0f64; c]);
        for (d, x) in dy.chunks_exact(c).zip(normal.chunks_exact(c)) {
            for j in 0..c {
                along[j] += f64::from(d[j]) * f64::from(x[j]);
                sum[j] += f64::from(d[j]);
            }
        }
        for j in 0..c {
            grads[j] += along[j] as f32;
            grads[c + j] += sum[j] as f32;
        }
        for (d, x) in dy.chunks_exact_mut(c).zip(normal.chunks_exact(c)) {
            for j in 0..c {
                d[j] = params[j] * scale[j] * (d[j] - (sum[j] as f32 + x[j] * along[j] as f32) / rows);
            }
        }
        dy
    }
}
