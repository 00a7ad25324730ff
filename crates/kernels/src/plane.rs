//! Points on a plane, to look at: their first two principal components.
//!
//! Subspace iteration on the covariance, which is never formed: a pass over the data multiplies a few directions by it.
//! Sums are in `f64`, over blocks in a fixed order, so the result does not depend on the number of threads.

use crate::Points;
use rand::Rng;
use rayon::prelude::*;

/// Directions that are followed; the two beyond those that are wanted make the iteration converge sooner.
const WIDTH: usize = 4;
/// Rows per block of a sum.
const BLOCK: usize = 512;
/// Passes over the data, at most.
const PASSES: usize = 40;
/// The iteration ends when the variance that the plane explains grows by less than this share.
const SETTLED: f64 = 1e-7;

/// The first two principal components of each row: the first axis is that of the largest variance, and on both axes the
/// column that weighs most has a positive weight.
///
/// `rng` draws the directions that the iteration begins with. Of one row, one column or equal rows what has no variance is 0.
///
/// ```
/// use hybridrepair_core::Streams;
/// use hybridrepair_kernels::{Points, principal_plane};
/// let on_a_line = [0.0, 0.0, 3.0, 4.0, 6.0, 8.0];
/// let plane = principal_plane(Points::new(&on_a_line, 2)?, &mut Streams::new(0).named("map"));
/// assert!((plane[2][0] - plane[0][0] - 10.0).abs() < 1e-4 && plane[1][1].abs() < 1e-4);
/// # Ok::<(), hybridrepair_kernels::KernelError>(())
/// ```
pub fn principal_plane(x: Points<'_>, rng: &mut impl Rng) -> Vec<[f32; 2]> {
    let (n, d) = (x.len(), x.dim());
    let mean = mean(x);
    let mut axes: Vec<Vec<f64>> =
        (0..WIDTH.min(d)).map(|_| (0..d).map(|_| rng.r#gen::<f64>() - 0.5).collect()).collect();
    orthonormal(&mut axes);
    let mut explained = 0.0;
    for _ in 0..PASSES {
        let mut images = covariance_times(x, &mean, &axes);
        let (values, turned) = ritz(&axes, &images);
        let now = values.iter().take(2).sum::<f64>();
        let settled = (now - explained).abs() <= SETTLED * now;
        explained = now;
        if settled {
            axes = turned;
            break;
        }
        orthonormal(&mut images);
        axes = images;
    }
    let images = covariance_times(x, &mean, &axes);
    let (values, mut axes) = ritz(&axes, &images);
    for (axis, value) in axes.iter_mut().zip(&values) {
        let heaviest = axis.iter().copied().fold(0.0f64, |a, b| if b.abs() > a.abs() { b } else { a });
        // what is not above rounding is no direction
        let sign = if *value <= f64::EPSILON * values[0] { 0.0 } else { heaviest.signum() };
        for v in axis {
            *v *= sign;
        }
    }
    (0..n)
        .into_par_iter()
        .map(|i| {
            let row = x.row(i);
            let on = |axis: Option<&Vec<f64>>| axis.map_or(0.0, |a| centred_dot(&row, &mean, a)) as f32;
            [on(axes.first()), on(axes.get(1))]
        })
        .collect()
}

fn mean(x: Points<'_>) -> Vec<f64> {
    let sums: Vec<Vec<f64>> = x
        .par_blocks(BLOCK)
        .map(|rows| {
            let mut sum = vec![0.0; x.dim()];
            for row in rows.chunks_exact(x.dim()) {
                sum.iter_mut().zip(row).for_each(|(s, v)| *s += f64::from(*v));
            }
            sum
        })
        .collect();
    let mut total = vec![0.0; x.dim()];
    for sum in sums {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
    }
    for t in &mut total {
        *t /= x.len() as f64;
    }
    total
}

fn centred_dot(row: &[f32], mean: &[f64], axis: &[f64]) -> f64 {
    row.iter().zip(mean).zip(axis).map(|((v, m), a)| (f64::from(*v) - m) * a).sum()
}

/// The covariance times each axis.
fn covariance_times(x: Points<'_>, mean: &[f64], axes: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let d = x.dim();
    let parts: Vec<Vec<Vec<f64>>> = x
        .par_blocks(BLOCK)
        .map(|rows| {
            let mut sums = vec![vec![0.0; d]; axes.len()];
            for row in rows.chunks_exact(d) {
                for (sum, axis) in sums.iter_mut().zip(axes) {
                    let weight = centred_dot(row, mean, axis);
                    for ((s, v), m) in sum.iter_mut().zip(row).zip(mean) {
                        *s += weight * (f64::from(*v) - m);
                    }
                }
            }
            sums
        })
        .collect();
    let mut total = vec![vec![0.0; d]; axes.len()];
    for part in parts {
        for (t, p) in total.iter_mut().zip(part) {
            t.iter_mut().zip(p).for_each(|(t, p)| *t += p);
        }
    }
    let scale = 1.0 / x.len() as f64;
    for t in total.iter_mut().flatten() {
        *t *= scale;
    }
    total
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Makes the vectors orthonormal, in order, twice for rounding; what depends on earlier ones becomes 0.
fn orthonormal(vectors: &mut [Vec<f64>]) {
    for i in 0..vectors.len() {
        let before = dot(&vectors[i], &vectors[i]).sqrt();
        for _ in 0..2 {
            for j in 0..i {
                let (done, rest) = vectors.split_at_mut(i);
                let share = dot(&done[j], &rest[0]);
                rest[0].iter_mut().zip(&done[j]).for_each(|(v, u)| *v -= share * u);
            }
        }
        let length = dot(&vectors[i], &vectors[i]).sqrt();
        let factor = if length > 1e-12 * before { 1.0 / length } else { 0.0 };
        for v in &mut vectors[i] {
            *v *= factor;
        }
    }
}

/// Eigenvalues and eigenvectors of the covariance within the span of `axes`, largest first (Rayleigh and Ritz).
fn ritz(axes: &[Vec<f64>], images: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let k = axes.len();
    let mut a: Vec<Vec<f64>> = axes.iter().map(|u| images.iter().map(|v| dot(u, v)).collect()).collect();
    let mut turns: Vec<Vec<f64>> = (0..k).map(|i| (0..k).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    // Jacobi's rotations; a few sweeps are enough for so small a matrix
    for _ in 0..30 {
        for p in 0..k {
            for q in p + 1..k {
                if a[p][q].abs() <= 1e-300 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for row in &mut a {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                for j in 0..k {
                    (a[p][j], a[q][j]) = (c * a[p][j] - s * a[q][j], s * a[p][j] + c * a[q][j]);
                }
                for row in &mut turns {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    let turned = order.iter().map(|&at| {
        let mut out = vec![0.0; axes.first().map_or(0, Vec::len)];
        for (axis, turn) in axes.iter().zip(&turns) {
            out.iter_mut().zip(axis).for_each(|(o, v)| *o += turn[at] * v);
        }
        out
    });
    (order.iter().map(|&i| a[i][i].max(0.0)).collect(), turned.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    fn plane(data: &[f32], d: usize) -> Vec<[f32; 2]> {
        principal_plane(Points::new(data, d).unwrap(), &mut Streams::new(3).named("map"))
    }

    #[test]
    fn the_plane_is_that_of_a_full_decomposition() {
        // data[i] = 9 cos(i) a + 4 sin(2.3 i) b + 0.5 cos(5.1 i) c, with a = (1,2,2)/3, b = (2,1,-2)/3, c = (2,-2,1)/3;
        // numpy: u, s, vt = svd(data - data.mean(0)); abs(data[7] - mean) projected on vt[:2]
        let data: Vec<f32> = (0..200)
            .flat_map(|i| {
                let (p, q, r) =
                    (9.0 * f64::from(i).cos(), 4.0 * (2.3 * f64::from(i)).sin(), 0.5 * (5.1 * f64::from(i)).cos());
                [p + 2.0 * q + 2.0 * r, 2.0 * p + q - 2.0 * r, 2.0 * p - 2.0 * q + r].map(|v| (v / 3.0) as f32)
            })
            .collect();
        let found = plane(&data, 3);
        let (x, y): (f64, f64) = (9.0 * 7f64.cos(), 4.0 * (2.3f64 * 7.0).sin());
        // the means of the three waves are small beside their amplitudes, and the axes tilt by little
        assert!((f64::from(found[7][0]).abs() - x.abs()).abs() < 0.25, "{:?} {x}", found[7]);
        assert!((f64::from(found[7][1]).abs() - y.abs()).abs() < 0.25, "{:?} {y}", found[7]);
        let variance = |k: usize| found.iter().map(|p| f64::from(p[k]).powi(2)).sum::<f64>() / 200.0;
        let mean = |k: usize| found.iter().map(|p| f64::from(p[k])).sum::<f64>() / 200.0;
        assert!(variance(0) > variance(1) && mean(0).abs() < 1e-5 && mean(1).abs() < 1e-5);
        let mixed = found.iter().map(|p| f64::from(p[0]) * f64::from(p[1])).sum::<f64>() / 200.0;
        assert!(mixed.abs() < 1e-3, "the axes are uncorrelated: {mixed}");
    }

    #[test]
    fn what_has_no_variance_is_zero_and_nothing_is_nan() {
        assert_eq!(plane(&[5.0; 12], 3), [[0.0; 2]; 4]);
        assert_eq!(plane(&[1.0, 2.0], 2), [[0.0; 2]]);
        let line = plane(&[1.0, 2.0, 3.0, 5.0], 1);
        assert!(line.iter().all(|p| p[1] == 0.0) && (line[3][0] - line[0][0] - 4.0).abs() < 1e-5);
        let large: Vec<f32> = (0..300).map(|i| ((i * 7919) % 101) as f32 * 1e30).collect();
        assert!(plane(&large, 3).iter().flatten().all(|v| v.is_finite()));
    }

    #[test]
    fn threads_change_nothing() {
        let data: Vec<f32> = (0..30_000).map(|i| ((i * 7919) % 1009) as f32).collect();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| plane(&data, 10))
        };
        assert_eq!(with(1), with(3));
    }
}
