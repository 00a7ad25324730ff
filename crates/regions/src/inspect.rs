//! What stands out in embeddings: rows that are almost the same, and rows that have no neighbours.

use crate::RegionError;
use hybridrepair_core::Embeddings;
use hybridrepair_kernels::{Points, neighbors};

/// Neighbours that are looked at.
const NEIGHBORS: usize = 10;

/// Rows of an embedding that stand out.
#[derive(Clone, Debug, PartialEq)]
pub struct Standouts {
    /// Groups of rows that are almost the same, each in row order, the largest group first.
    pub duplicates: Vec<Vec<usize>>,
    /// Rows far from all others and how far, the farthest first: the mean distance of their unit rows to their ten nearest.
    pub outliers: Vec<(usize, f64)>,
    /// From which distance on a row counts as an outlier: five median absolute deviations above the median.
    pub outlier_from: f64,
    /// The median of these distances.
    pub median: f64,
}

/// Looks for near-duplicates (rows whose cosine is at least `alike`) and outliers. Groups are joined through neighbours: a
/// row belongs to a group when it is alike to one of its members.
///
/// Only a row's ten nearest are looked at, so the pairs of a large group are found through a chain of them.
///
/// # Errors
/// When there are fewer than two rows, or `alike` is not in (0, 1].
pub fn standouts(x: &Embeddings, alike: f64) -> Result<Standouts, RegionError> {
    if !(alike > 0.0 && alike <= 1.0) {
        return Err(RegionError::Parameter { what: "alike", given: alike, expected: "a cosine in (0, 1]".into() });
    }
    let unit = x.normalized();
    let n = unit.len();
    let found = neighbors(Points::from(&unit), NEIGHBORS.min(n.saturating_sub(1)))?;
    // rounding of unit rows may keep equal pictures a little apart
    let near = 2.0 * (1.0 - alike) + 1e-6;
    let mut parent = (0..n).collect::<Vec<_>>();
    let mut distance = Vec::with_capacity(n);
    for row in 0..n {
        let (index, squared) = found.of(row);
        for (&other, _) in index.iter().zip(squared).filter(|(_, s)| **s <= near) {
            let (a, b) = (root(&mut parent, row), root(&mut parent, other as usize));
            parent[a.max(b)] = a.min(b);
        }
        distance.push(squared.iter().map(|s| s.sqrt()).sum::<f64>() / squared.len() as f64);
    }
    let mut groups = vec![Vec::new(); n];
    for row in 0..n {
        groups[root(&mut parent, row)].push(row);
    }
    let mut duplicates = groups.into_iter().filter(|g| g.len() > 1).collect::<Vec<_>>();
    duplicates.sort_by_key(|g| (usize::MAX - g.len(), g[0]));
    let median = middle(distance.clone());
    let deviation = middle(distance.iter().map(|d| (d - median).abs()).collect());
    let outlier_from = median + 5.0 * deviation;
    let mut outliers =
        distance.into_iter().enumerate().filter(|(_, d)| *d > outlier_from && deviation > 0.0).collect::<Vec<_>>();
    outliers.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(Standouts { duplicates, outliers, outlier_from, median })
}

/// The first row of a row's group.
fn root(parent: &mut [usize], mut row: usize) -> usize {
    while parent[row] != row {
        parent[row] = parent[parent[row]];
        row = parent[row];
    }
    row
}

/// The median; 0 of nothing.
fn middle(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn planted_duplicates_and_a_planted_outlier_are_found() {
        // 60 rows near the first axes, three of them the same up to scale, and one alone on the last axis
        let mut x = Array2::from_shape_fn((60, 8), |(i, j)| {
            if j < 4 { 1.0 + ((i * 7 + j * 3) % 11) as f32 / 11.0 } else { ((i * 5 + j) % 7) as f32 / 20.0 }
        });
        for copy in [17, 41] {
            let row = x.row(3).to_owned() * 2.0;
            x.row_mut(copy).assign(&row);
        }
        x.row_mut(9).fill(0.0);
        x[[9, 7]] = 1.0;
        let found = standouts(&Embeddings::new(x).unwrap(), 0.9999).unwrap();
        assert!(found.duplicates.contains(&vec![3, 17, 41]), "{:?}", found.duplicates);
        assert_eq!(found.outliers[0].0, 9);
        assert!(found.outliers[0].1 > found.outlier_from && found.outlier_from > found.median);
    }

    #[test]
    fn too_little_and_nonsense_are_refused() {
        let one = Embeddings::new(Array2::ones((1, 3))).unwrap();
        assert!(standouts(&one, 0.99).is_err());
        let two = Embeddings::new(Array2::ones((2, 3))).unwrap();
        assert!(standouts(&two, 0.0).is_err() && standouts(&two, f64::NAN).is_err());
        let same = standouts(&two, 1.0).unwrap();
        assert_eq!((same.duplicates, same.outliers), (vec![vec![0, 1]], vec![]));
    }
}
