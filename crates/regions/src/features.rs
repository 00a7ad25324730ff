//! How good embeddings are, by themselves and against known classes, before anything is clustered or bought.

use crate::RegionError;
use hybridrepair_core::{ClassId, Embeddings, Stream};
use hybridrepair_kernels::{Neighbors, Points, neighbors, top_k};
use linfa_linalg::eigh::EigValshInto;
use ndarray::Array2;
use rand::seq::index::sample;
use rayon::prelude::*;

/// Neighbours that vote for a class.
pub const VOTERS: usize = 20;
/// Votes are weighted by `exp(cosine / TEMPERATURE)` (Wu et al. 2018).
const TEMPERATURE: f64 = 0.07;
/// Rows from which the effective rank is estimated, and the most columns whose covariance is taken directly.
const RANK_ROWS: usize = 4096;
const RANK_SIDE: usize = 512;

/// Standard deviation of the coordinates of the unit rows, averaged, times the square root of their number: 1 when
/// directions are spread evenly, 0 when all are one (Chen and He 2021, section 4.1).
pub fn spread(x: &Embeddings) -> f64 {
    let unit = x.normalized();
    let (n, d) = (unit.len(), unit.dim());
    let (mut sum, mut squares) = (vec![0.0f64; d], vec![0.0f64; d]);
    for i in 0..n {
        for ((x, s), q) in unit.row(i).iter().zip(&mut sum).zip(&mut squares) {
            *s += f64::from(*x);
            *q += f64::from(*x) * f64::from(*x);
        }
    }
    let deviation = |(s, q): (&f64, &f64)| (q / n as f64 - (s / n as f64).powi(2)).max(0.0).sqrt();
    sum.iter().zip(&squares).map(deviation).sum::<f64>() / d as f64 * (d as f64).sqrt()
}

/// Effective rank (Roy and Vetterli 2007): the exponential of the entropy of the singular values of the centred unit rows,
/// between 1 and the number of columns; 0 when all rows are equal. Estimated from at most 4,096 rows (512 where there are
/// more than 512 columns).
///
/// # Errors
/// When the eigenvalues do not converge.
pub fn effective_rank(x: &Embeddings, rng: &mut Stream) -> Result<f64, RegionError> {
    let wide = x.dim() > RANK_SIDE;
    let most = if wide { RANK_SIDE } else { RANK_ROWS };
    let mut rows = sample(rng, x.len(), most.min(x.len())).into_vec();
    rows.sort_unstable();
    let unit = x.select(&rows)?.normalized();
    let mut centred = unit.view().mapv(f64::from);
    if let Some(mean) = centred.mean_axis(ndarray::Axis(0)) {
        centred -= &mean;
    }
    // the smaller of the two products: its eigenvalues other than 0 are the same
    let product: Array2<f64> =
        if centred.nrows() < centred.ncols() { centred.dot(&centred.t()) } else { centred.t().dot(&centred) };
    let failed = |e: linfa_linalg::LinalgError| RegionError::Foreign { name: "eigenvalues", why: e.to_string() };
    let values = product.eigvalsh_into().map_err(failed)?;
    let singular = values.iter().map(|v| v.max(0.0).sqrt()).collect::<Vec<_>>();
    let sum = singular.iter().sum::<f64>();
    // what is left of equal rows by rounding has no rank
    if sum <= 1e-6 * unit.len() as f64 {
        return Ok(0.0);
    }
    let entropy = singular.iter().map(|s| s / sum).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum::<f64>();
    Ok(entropy.exp())
}

/// Share of the queries whose class the nearest rows of `base` vote for, in [0, 1]: at most 20 voters by cosine, weighted
/// by `exp(cosine / 0.07)`; the lowest class on ties.
///
/// # Errors
/// When labels do not fit their rows, or dimensions differ.
pub fn knn_accuracy(queries: (&Embeddings, &[ClassId]), base: (&Embeddings, &[ClassId])) -> Result<f64, RegionError> {
    for (x, labels) in [queries, base] {
        check(x, labels)?;
    }
    let (q, b) = (queries.0.normalized(), base.0.normalized());
    let found = top_k(Points::from(&q), Points::from(&b), VOTERS.min(b.len()))?;
    Ok(share(&found, queries.1, base.1))
}

/// As [`knn_accuracy`], each row judged by the others.
///
/// # Errors
/// When labels do not fit, or there is one row only.
pub fn knn_accuracy_left_out(x: &Embeddings, labels: &[ClassId]) -> Result<f64, RegionError> {
    check(x, labels)?;
    let unit = x.normalized();
    let found = neighbors(Points::from(&unit), VOTERS.min(unit.len().saturating_sub(1)))?;
    Ok(share(&found, labels, labels))
}

fn check(x: &Embeddings, labels: &[ClassId]) -> Result<(), RegionError> {
    if x.len() == labels.len() {
        return Ok(());
    }
    Err(RegionError::Lengths { left: x.len(), right: labels.len() })
}

fn share(found: &Neighbors, truth: &[ClassId], voters: &[ClassId]) -> f64 {
    let classes = voters.iter().map(|c| c.column() + 1).max().unwrap_or(0);
    let right = |i: usize| {
        let (index, squared) = found.of(i);
        let mut votes = vec![0.0f64; classes];
        for (&row, squared) in index.iter().zip(squared) {
            // of unit rows: cosine = 1 - distance^2 / 2
            votes[voters[row as usize].column()] += ((1.0 - squared / 2.0) / TEMPERATURE).exp();
        }
        let best = (1..classes).fold(0, |best, c| if votes[c] > votes[best] { c } else { best });
        best == truth[i].column()
    };
    let n = truth.len();
    (0..n).into_par_iter().filter(|&i| right(i)).count() as f64 / n.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use ndarray::array;

    fn classes(of: &[usize]) -> Vec<ClassId> {
        of.iter().map(|&c| ClassId::from(c)).collect()
    }

    #[test]
    fn spread_and_rank_by_hand() {
        let rng = &mut Streams::new(0).named("rank");
        let axes = Embeddings::new(array![[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, -1.0]]).unwrap();
        // each coordinate of the unit rows is 1, 0, -1, 0: deviation sqrt(1/2), times sqrt(2)
        assert!((spread(&axes) - 1.0).abs() < 1e-9);
        assert!((effective_rank(&axes, rng).unwrap() - 2.0).abs() < 1e-9);
        let same = Embeddings::new(Array2::from_shape_fn((50, 8), |(i, _)| 1.0 + i as f32)).unwrap();
        assert!(spread(&same) < 1e-3);
        assert!(effective_rank(&same, rng).unwrap() < 1e-9);
        // the columns are at right angles: singular values 1.6 and 1.2
        let uneven = array![[0.8, 0.6], [-0.8, 0.6], [0.8, -0.6], [-0.8, -0.6]];
        let expected = {
            let (a, b) = (0.8 / 1.4, 0.6 / 1.4f64);
            (-(a * f64::ln(a)) - b * b.ln()).exp()
        };
        let got = effective_rank(&Embeddings::new(uneven).unwrap(), rng).unwrap();
        assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        // more columns than rows
        let wide = Embeddings::new(Array2::from_shape_fn((6, 600), |(i, j)| f32::from(u8::from(i == j)))).unwrap();
        assert!((effective_rank(&wide, rng).unwrap() - 5.0).abs() < 1e-6);
    }

    #[test]
    fn neighbours_vote() {
        let x = Embeddings::new(array![[1.0, 0.1], [1.0, 0.0], [2.0, 0.1], [0.1, 1.0], [0.0, 5.0]]).unwrap();
        let y = classes(&[1, 1, 1, 0, 0]);
        assert_eq!(knn_accuracy_left_out(&x, &y).unwrap(), 1.0);
        assert_eq!(knn_accuracy((&x, &classes(&[1, 1, 0, 0, 0])), (&x, &y)).unwrap(), 0.8);
        assert!(knn_accuracy_left_out(&x, &y[..2]).is_err());
        let one = Embeddings::new(array![[1.0, 0.0]]).unwrap();
        assert!(knn_accuracy_left_out(&one, &classes(&[0])).is_err());
    }
}
