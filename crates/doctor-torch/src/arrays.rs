use crate::TrainerError;
use hybridrepair_core::Streams;
use hybridrepair_data::{Labelled, npy};
use hybridrepair_doctor::Scaling;
use rand::seq::SliceRandom;
use std::path::Path;

/// Rows of numbers with a class each, cut into a training and a validation part.
#[derive(Clone, Debug)]
pub struct Arrays {
    /// Shape of a sample: `[features]` or `[channels, height, width]`.
    pub shape: Vec<usize>,
    /// Classes.
    pub classes: usize,
    /// Training rows one after the other, and their classes.
    pub train: (Vec<f32>, Vec<usize>),
    /// The same for validation.
    pub val: (Vec<f32>, Vec<usize>),
}

impl Arrays {
    /// Own arrays: `x` with a row of finite numbers per sample, `y` with its class. The share `val` of the rows, drawn by the
    /// stream `arrays.split`, is the validation part.
    ///
    /// # Errors
    /// When a file cannot be read, or the arrays do not fit each other or the shape.
    pub fn read(x: &Path, y: &Path, shape: &[usize], val: f64, streams: Streams) -> Result<Self, TrainerError> {
        let wrong = |why: String| Err(TrainerError::Arrays(why));
        let rows = npy::read_f32_2d(x)?;
        let labels = npy::read_i64_1d(y)?;
        let (n, width) = rows.dim();
        if labels.len() != n {
            return wrong(format!("{} has {n} rows, {} has {} classes", x.display(), y.display(), labels.len()));
        }
        if shape.iter().product::<usize>() != width {
            return wrong(format!("{} has rows of {width} numbers, the network takes {shape:?}", x.display()));
        }
        if let Some(bad) = labels.iter().find(|l| !(0..100_000).contains(*l)) {
            return wrong(format!("{} has the class {bad}, classes are counted from 0", y.display()));
        }
        if !(val > 0.0 && val < 1.0) {
            return wrong(format!("validation share {val} is not above 0 and below 1"));
        }
        let held = (val * n as f64).round() as usize;
        if held == 0 || held == n {
            return wrong(format!("{n} rows cannot be cut at {val}"));
        }
        let mut order = (0..n).collect::<Vec<_>>();
        order.shuffle(&mut streams.named("arrays.split"));
        let part = |rows_of: &[usize]| {
            let x = rows_of.iter().flat_map(|&i| rows.row(i).to_vec()).collect();
            (x, rows_of.iter().map(|&i| labels[i] as usize).collect::<Vec<_>>())
        };
        let classes = labels.iter().max().map_or(0, |m| *m as usize + 1);
        let (val, train) = order.split_at(held);
        Ok(Self { shape: shape.to_vec(), classes, train: part(train), val: part(val) })
    }

    /// Pictures as numbers in [0, 1], channel by channel; with one channel asked for, the mean of the three.
    ///
    /// # Errors
    /// When the network takes another size.
    pub fn of_pictures(
        train: &Labelled,
        val: &Labelled,
        classes: usize,
        shape: &[usize],
    ) -> Result<Self, TrainerError> {
        let (h, w) = (train.images.height(), train.images.width());
        let grey = match *shape {
            [1, a, b] if (a, b) == (h, w) => true,
            [3, a, b] if (a, b) == (h, w) => false,
            [n] if n == h * w => true,
            _ => {
                let why =
                    format!("the network takes {shape:?}, pictures are [3, {h}, {w}], [1, {h}, {w}] or [{}]", h * w);
                return Err(TrainerError::Arrays(why));
            }
        };
        let part = |of: &Labelled| {
            let mut x = Vec::with_capacity(of.images.len() * shape.iter().product::<usize>());
            for i in 0..of.images.len() {
                let pixels = of.images.get(i);
                if grey {
                    let mean = |p: &[u8]| p.iter().map(|&v| f32::from(v)).sum::<f32>() / 765.0;
                    x.extend(pixels.chunks_exact(3).map(mean));
                } else {
                    for c in 0..3 {
                        x.extend(pixels.iter().skip(c).step_by(3).map(|&v| f32::from(v) / 255.0));
                    }
                }
            }
            (x, of.labels.iter().map(|c| c.column()).collect())
        };
        Ok(Self { shape: shape.to_vec(), classes, train: part(train), val: part(val) })
    }

    /// Numbers of a sample.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// Share of the most frequent training class.
    pub fn chance(&self) -> f64 {
        let mut counts = vec![0usize; self.classes];
        self.train.1.iter().for_each(|&c| counts[c] += 1);
        counts.into_iter().max().unwrap_or(0) as f64 / self.train.1.len().max(1) as f64
    }

    /// Both parts scaled. Statistics are those of the training part, per feature, of pictures per channel.
    pub fn scaled(&self, scaling: Scaling) -> (Vec<f32>, Vec<f32>) {
        let (train, val) = (&self.train.0, &self.val.0);
        match scaling {
            Scaling::None => (train.clone(), val.clone()),
            Scaling::MinMaxEach => (self.apply(train, &self.bounds(train)), self.apply(val, &self.bounds(val))),
            Scaling::MinMax => {
                let by = self.bounds(train);
                (self.apply(train, &by), self.apply(val, &by))
            }
            Scaling::Standard => {
                let by = self.moments(train);
                (self.apply(train, &by), self.apply(val, &by))
            }
        }
    }

    /// Numbers that share a statistic, and how many there are of them.
    fn groups(&self) -> (usize, usize) {
        if self.shape.len() == 3 { (self.shape[0], self.shape[1] * self.shape[2]) } else { (self.width(), 1) }
    }

    /// Middle and half width per feature.
    fn bounds(&self, x: &[f32]) -> Vec<(f64, f64)> {
        self.each(x, |values| {
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
            (0.5 * (low + high), 0.5 * (high - low))
        })
    }

    /// Mean and standard deviation per feature.
    fn moments(&self, x: &[f32]) -> Vec<(f64, f64)> {
        self.each(x, |values| {
            let (n, sum, squares) = values.fold((0.0, 0.0, 0.0), |(n, s, q), v| (n + 1.0, s + v, q + v * v));
            let mean = sum / f64::max(n, 1.0);
            (mean, (squares / f64::max(n, 1.0) - mean * mean).max(0.0).sqrt())
        })
    }

    fn each(&self, x: &[f32], statistic: impl Fn(&mut dyn Iterator<Item = f64>) -> (f64, f64)) -> Vec<(f64, f64)> {
        let (groups, size) = self.groups();
        let width = self.width();
        (0..groups)
            .map(|g| {
                let rows = x.chunks_exact(width);
                statistic(&mut rows.flat_map(|row| row[g * size..(g + 1) * size].iter().map(|&v| f64::from(v))))
            })
            .collect()
    }

    fn apply(&self, x: &[f32], by: &[(f64, f64)]) -> Vec<f32> {
        let (_, size) = self.groups();
        let width = self.width();
        x.iter()
            .enumerate()
            .map(|(i, &v)| {
                let (middle, scale) = by[i % width / size];
                // a feature that never changes is moved to 0
                ((f64::from(v) - middle) / if scale > 1e-12 { scale } else { 1.0 }) as f32
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_scaled_by_the_training_part_alone() {
        let data = Arrays {
            shape: vec![2],
            classes: 2,
            train: (vec![0.0, 5.0, 4.0, 5.0], vec![0, 1]),
            val: (vec![8.0, 6.0], vec![1]),
        };
        assert_eq!(data.scaled(Scaling::MinMax), (vec![-1.0, 0.0, 1.0, 0.0], vec![3.0, 1.0]));
        assert_eq!(data.scaled(Scaling::Standard), (vec![-1.0, 0.0, 1.0, 0.0], vec![3.0, 1.0]));
        assert_eq!(data.scaled(Scaling::MinMaxEach).1, [0.0, 0.0]);
        assert_eq!(data.scaled(Scaling::None).0, data.train.0);
        assert_eq!(data.chance(), 0.5);
    }
}
