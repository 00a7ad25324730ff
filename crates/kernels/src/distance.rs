//! Squared Euclidean distances: blocks, nearest rows, one to many.

use crate::frame::Frame;
use crate::pack::Rows;
use crate::sweep::{Source, Visit, sweep};
use crate::tile::{LANES, ROWS, Tile};
use crate::{KernelError, Points, squared_distance};
use ndarray::Array2;
use rayon::prelude::*;

/// The nearest row of a set for each query.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// Its index, the lowest of equals.
    pub index: Vec<u32>,
    /// Its squared distance, at least 0.
    pub squared: Vec<f32>,
}

/// The nearest of `centers` (`k x d`) for each of `x` (`n x d`) by blocks, never holding `n x k` numbers.
///
/// The choice is made in `f32` (ties by lowest index), the distance is then taken again in `f64`.
///
/// # Errors
/// When the dimensions differ.
pub fn nearest(x: Points<'_>, centers: Points<'_>) -> Result<Nearest, KernelError> {
    x.same_dim(centers, "centers")?;
    let (n, d) = (x.len(), x.dim());
    let frame = Frame::of(x);
    let row = |i: usize, out: &mut [f32]| {
        frame.put(&x.row(i), 1.0, out);
    };
    let lanes = Source::Fresh { n, row: &row };
    let rows = Rows::pack(centers.len(), d, |i, out| frame.put(&centers.row(i), -2.0, out));
    let mut panels = vec![Argmin::default(); n.div_ceil(LANES)];
    sweep(&rows, lanes, &mut panels);
    let index = panels.iter().flat_map(|p| p.index).take(n).collect::<Vec<_>>();
    let squared = (0..n).into_par_iter().map(|i| squared_distance(&x.row(i), &centers.row(index[i] as usize)));
    let squared = squared.map(|s| s.min(f64::from(f32::MAX)) as f32).collect();
    Ok(Nearest { index, squared })
}

/// Lowest row per lane.
#[derive(Clone, Debug)]
pub(crate) struct Argmin {
    pub(crate) best: [f32; LANES],
    pub(crate) index: [u32; LANES],
}

impl Default for Argmin {
    fn default() -> Self {
        Self { best: [f32::INFINITY; LANES], index: [0; LANES] }
    }
}

impl Visit for Argmin {
    #[inline(always)]
    fn tile(&mut self, first: usize, tile: &Tile) {
        for r in 0..ROWS {
            let row = (first + r) as u32;
            for l in 0..LANES {
                let v = tile.0[r].0[l];
                let lower = v < self.best[l];
                self.best[l] = if lower { v } else { self.best[l] };
                self.index[l] = if lower { row } else { self.index[l] };
            }
        }
    }
}

/// All squared distances between `x` (`n x d`) and `y` (`m x d`), `n x m`, clamped at 0. For small blocks only.
///
/// # Errors
/// When the dimensions differ.
pub fn squared_distances(x: Points<'_>, y: Points<'_>) -> Result<Array2<f32>, KernelError> {
    x.same_dim(y, "points")?;
    let (n, m, d) = (x.len(), y.len(), x.dim());
    let frame = Frame::of(x);
    // rows of x, lanes of y: a panel fills 32 columns
    let rows = Rows::pack(n, d, |i, out| frame.put(&x.row(i), -2.0, out));
    let row = |i: usize, out: &mut [f32]| {
        frame.put(&y.row(i), 1.0, out);
    };
    let lanes = Source::Fresh { n: m, row: &row };
    let mut columns = (0..m.div_ceil(LANES))
        .map(|p| {
            let mut norms = [0.0; LANES];
            let mut buffer = vec![0.0; d];
            for (l, norm) in norms.iter_mut().enumerate().take(m - (p * LANES).min(m)) {
                *norm = frame.put(&y.row(p * LANES + l), 1.0, &mut buffer);
            }
            Column { norms, values: Vec::with_capacity(n.next_multiple_of(ROWS)) }
        })
        .collect::<Vec<_>>();
    sweep(&rows, lanes, &mut columns);
    let value = |i: usize, j: usize| f64::from(columns[j / LANES].values[i][j % LANES].max(0.0));
    Ok(Array2::from_shape_fn((n, m), |(i, j)| frame.unscaled(value(i, j)).min(f64::from(f32::MAX)) as f32))
}

struct Column {
    norms: [f32; LANES],
    values: Vec<[f32; LANES]>,
}

impl Visit for Column {
    #[inline(always)]
    fn tile(&mut self, _first: usize, tile: &Tile) {
        self.values.extend(tile.0.iter().map(|row| std::array::from_fn(|l| row.0[l] + self.norms[l])));
    }
}

/// Squared distances of one point to every row, each taken as a sum of squared differences (no cancellation).
///
/// Reads every row once: its speed is that of the memory.
///
/// # Errors
/// When `point` has not the columns of `x`, or `out` not its rows.
pub fn squared_distances_to(x: Points<'_>, point: &[f32], out: &mut [f32]) -> Result<(), KernelError> {
    x.same_dim(Points::trusted(point, point.len().max(1)), "point")?;
    if out.len() != x.len() {
        return Err(hybridrepair_core::CoreError::Rows { what: "distances", got: out.len(), expected: x.len() }.into());
    }
    out.par_chunks_mut(256).zip(x.par_blocks(256)).for_each(|(out, rows)| {
        let rows = &*rows;
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                // SAFETY: detected
                return unsafe { one_to_many_avx512(rows, point, out) };
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                // SAFETY: detected
                return unsafe { one_to_many_avx2(rows, point, out) };
            }
        }
        one_to_many(rows, point, out);
    });
    Ok(())
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn one_to_many_avx512(rows: &[f32], point: &[f32], out: &mut [f32]) {
    one_to_many(rows, point, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn one_to_many_avx2(rows: &[f32], point: &[f32], out: &mut [f32]) {
    one_to_many(rows, point, out);
}

/// 32 running sums per row, added up in a fixed tree.
#[inline(always)]
fn one_to_many(rows: &[f32], point: &[f32], out: &mut [f32]) {
    const W: usize = 32;
    let (head, tail) = point.as_chunks::<W>();
    for (row, o) in rows.chunks_exact(point.len()).zip(out) {
        let mut sums = [0.0f32; W];
        let (blocks, rest) = row.as_chunks::<W>();
        for (a, b) in blocks.iter().zip(head) {
            for l in 0..W {
                let t = a[l] - b[l];
                sums[l] += t * t;
            }
        }
        for (s, (a, b)) in sums.iter_mut().zip(rest.iter().zip(tail)) {
            *s += (a - b) * (a - b);
        }
        let mut width = W / 2;
        while width > 0 {
            for l in 0..width {
                sums[l] += sums[l + width];
            }
            width /= 2;
        }
        *o = sums[0];
    }
}
