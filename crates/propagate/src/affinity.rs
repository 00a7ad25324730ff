use hybridrepair_core::{Embeddings, KnnGraph};
use hybridrepair_kernels::dot;
use rayon::prelude::*;

/// A sparse symmetric matrix `S = D^-1/2 W D^-1/2` in rows.
pub(crate) struct Affinity {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Affinity {
    /// `W_ij = max(0, cos(x_i, x_j))^gamma` where one of the two is a neighbour of the other.
    pub(crate) fn of(x: &Embeddings, graph: &KnnGraph, gamma: f64) -> Self {
        let n = graph.len();
        let norms = (0..n).into_par_iter().map(|i| dot(x.row(i), x.row(i)).sqrt()).collect::<Vec<_>>();
        let weight = |i: usize, j: usize| {
            let norm = norms[i] * norms[j];
            if norm > 0.0 { (dot(x.row(i), x.row(j)) / norm).max(0.0).powf(gamma) } else { 0.0 }
        };
        // both directions of every edge, each pair once
        let mut pairs = (0..n)
            .flat_map(|i| graph.neighbors(i).iter().flat_map(move |&j| [(i as u32, j), (j, i as u32)]))
            .collect::<Vec<_>>();
        pairs.par_sort_unstable();
        pairs.dedup();
        let values = pairs.par_iter().map(|&(i, j)| weight(i as usize, j as usize)).collect::<Vec<_>>();
        let mut degree = vec![0.0f64; n];
        let mut starts = vec![0usize; n + 1];
        for (&(i, _), w) in pairs.iter().zip(&values) {
            degree[i as usize] += w;
            starts[i as usize + 1] += 1;
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let scale = |&(i, j): &(u32, u32)| {
            let d = degree[i as usize] * degree[j as usize];
            if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }
        };
        let values = pairs.iter().zip(values).map(|(p, w)| (w * scale(p)) as f32).collect();
        Self { starts, columns: pairs.into_iter().map(|p| p.1).collect(), values }
    }

    /// `out = z - alpha S z` for `c` columns side by side.
    pub(crate) fn apply(&self, alpha: f64, z: &[f64], c: usize, out: &mut [f64]) {
        out.par_chunks_mut(c).enumerate().for_each(|(i, out)| {
            out.copy_from_slice(&z[i * c..(i + 1) * c]);
            for e in self.starts[i]..self.starts[i + 1] {
                let (j, s) = (self.columns[e] as usize, alpha * f64::from(self.values[e]));
                out.iter_mut().zip(&z[j * c..(j + 1) * c]).for_each(|(o, v)| *o -= s * v);
            }
        });
    }
}

/// Solves `(I - alpha S) Z = Y` by conjugate gradients (Hestenes and Stiefel 1952), every column on its own steps.
///
/// The matrix is positive definite for `alpha` below 1. Ends when the residual of each column is `tolerance` of its
/// right-hand side, or after `max_iter` steps. `y` and the result are `n x c`.
pub(crate) fn solve(s: &Affinity, alpha: f64, y: &[f64], c: usize, max_iter: usize, tolerance: f64) -> Vec<f64> {
    let products = |a: &[f64], b: &[f64]| {
        let mut sums = vec![0.0f64; c];
        for (a, b) in a.chunks_exact(c).zip(b.chunks_exact(c)) {
            sums.iter_mut().zip(a.iter().zip(b)).for_each(|(s, (a, b))| *s += a * b);
        }
        sums
    };
    let mut z = vec![0.0; y.len()];
    let mut residual = y.to_vec();
    let mut direction = y.to_vec();
    let mut image = vec![0.0; y.len()];
    let start = products(y, y);
    let mut squares = start.clone();
    for _ in 0..max_iter {
        if squares.iter().zip(&start).all(|(r, s)| *r <= tolerance * tolerance * s) {
            break;
        }
        s.apply(alpha, &direction, c, &mut image);
        let curvature = products(&direction, &image);
        let ratio = |a: &[f64], b: &[f64]| -> Vec<f64> {
            a.iter().zip(b).map(|(a, b)| if *b > 0.0 { a / b } else { 0.0 }).collect()
        };
        let step = ratio(&squares, &curvature);
        for (at, z) in z.chunks_exact_mut(c).enumerate() {
            for l in 0..c {
                z[l] += step[l] * direction[at * c + l];
                residual[at * c + l] -= step[l] * image[at * c + l];
            }
        }
        let next = products(&residual, &residual);
        let keep = ratio(&next, &squares);
        for (d, r) in direction.chunks_exact_mut(c).zip(residual.chunks_exact(c)) {
            for l in 0..c {
                d[l] = r[l] + keep[l] * d[l];
            }
        }
        squares = next;
    }
    z
}
