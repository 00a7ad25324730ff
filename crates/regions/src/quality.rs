//! How good a grouping is: against true classes, against another grouping, and by itself.

use crate::RegionError;
use hybridrepair_core::{Embeddings, Stream};
use hybridrepair_kernels::squared_distance;
use rand::seq::index::sample;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Counts of pairs of labels; `None` (noise) is a group of its own kind and left out.
struct Table {
    cells: BTreeMap<(u32, u32), u64>,
    left: BTreeMap<u32, u64>,
    right: BTreeMap<u32, u64>,
    n: u64,
}

impl Table {
    fn of(left: &[Option<u32>], right: &[Option<u32>]) -> Result<Self, RegionError> {
        if left.len() != right.len() {
            return Err(RegionError::Lengths { left: left.len(), right: right.len() });
        }
        let mut table = Self { cells: BTreeMap::new(), left: BTreeMap::new(), right: BTreeMap::new(), n: 0 };
        for (a, b) in left.iter().zip(right).filter_map(|(a, b)| a.zip(*b)) {
            *table.cells.entry((a, b)).or_default() += 1;
            *table.left.entry(a).or_default() += 1;
            *table.right.entry(b).or_default() += 1;
            table.n += 1;
        }
        Ok(table)
    }
}

/// Share of grouped samples that belong to the commonest class of their group, in [0, 1]; noise and samples without a
/// class do not count; 0 when nothing is left.
///
/// # Errors
/// When the lengths differ.
pub fn purity(groups: &[Option<u32>], classes: &[Option<u32>]) -> Result<f64, RegionError> {
    let table = Table::of(groups, classes)?;
    let mut most = BTreeMap::<u32, u64>::new();
    for (&(group, _), &count) in &table.cells {
        let best = most.entry(group).or_default();
        *best = count.max(*best);
    }
    Ok(most.values().sum::<u64>() as f64 / table.n.max(1) as f64)
}

/// Normalised mutual information `2 I / (H_a + H_b)` in [0, 1]; samples without a label in either do not count.
///
/// 1 when both are one single group (or nothing is left), as scikit-learn has it.
///
/// # Errors
/// When the lengths differ.
pub fn nmi(a: &[Option<u32>], b: &[Option<u32>]) -> Result<f64, RegionError> {
    let table = Table::of(a, b)?;
    let n = table.n as f64;
    let entropy =
        |counts: &BTreeMap<u32, u64>| -> f64 { counts.values().map(|&c| c as f64 / n).map(|p| -p * p.ln()).sum() };
    let (ha, hb) = (entropy(&table.left), entropy(&table.right));
    if ha + hb <= 0.0 {
        return Ok(1.0);
    }
    let mutual = table.cells.iter().map(|(&(x, y), &c)| {
        let (c, px, py) = (c as f64, table.left[&x] as f64, table.right[&y] as f64);
        c / n * (c * n / (px * py)).ln()
    });
    Ok((2.0 * mutual.sum::<f64>() / (ha + hb)).clamp(0.0, 1.0))
}

/// Adjusted Rand index (Hubert and Arabie 1985), at most 1, about 0 for independent groupings.
///
/// Noise is a group like any other here (give `None` for it in both), as when two runs of HDBSCAN are compared.
///
/// # Errors
/// When the lengths differ.
pub fn ari(a: &[Option<u32>], b: &[Option<u32>]) -> Result<f64, RegionError> {
    let noise_as_group =
        |labels: &[Option<u32>]| labels.iter().map(|l| Some(l.map_or(0, |c| c + 1))).collect::<Vec<_>>();
    let table = Table::of(&noise_as_group(a), &noise_as_group(b))?;
    let pairs = |count: &u64| (*count as f64) * (*count as f64 - 1.0) / 2.0;
    let cells = table.cells.values().map(pairs).sum::<f64>();
    let left = table.left.values().map(pairs).sum::<f64>();
    let right = table.right.values().map(pairs).sum::<f64>();
    let all = pairs(&table.n);
    let expected = if all > 0.0 { left * right / all } else { 0.0 };
    let most = f64::midpoint(left, right);
    // both one group, or both all single: the same grouping
    Ok(if most - expected == 0.0 { 1.0 } else { (cells - expected) / (most - expected) })
}

/// Mean silhouette (Rousseeuw 1987, Euclidean) over at most `sample_size` grouped samples, against those same samples,
/// in [-1, 1]; a group of one has 0. `None` with fewer than two groups.
///
/// # Errors
/// When there is not one label per row, or `sample_size` is 0.
pub fn silhouette(
    x: &Embeddings,
    groups: &[Option<u32>],
    sample_size: usize,
    rng: &mut Stream,
) -> Result<Option<f64>, RegionError> {
    if groups.len() != x.len() {
        return Err(RegionError::Lengths { left: groups.len(), right: x.len() });
    }
    if sample_size == 0 {
        return Err(RegionError::Parameter { what: "sample_size", given: 0.0, expected: "at least 1".into() });
    }
    let grouped = (0..x.len()).filter(|&i| groups[i].is_some()).collect::<Vec<_>>();
    let mut rows = sample(rng, grouped.len(), sample_size.min(grouped.len())).into_vec();
    rows.sort_unstable();
    let rows = rows.into_iter().map(|at| grouped[at]).collect::<Vec<_>>();
    let mut names = rows.iter().filter_map(|&i| groups[i]).collect::<Vec<_>>();
    names.sort_unstable();
    names.dedup();
    if names.len() < 2 {
        return Ok(None);
    }
    let group = |i: usize| names.binary_search(&groups[i].unwrap_or_default()).unwrap_or_default();
    let groups = rows.iter().map(|&i| group(i)).collect::<Vec<_>>();
    let mut sizes = vec![0usize; names.len()];
    for &g in &groups {
        sizes[g] += 1;
    }
    let widths = rows.par_iter().zip(&groups).map(|(&i, &own)| {
        if sizes[own] == 1 {
            return 0.0;
        }
        let mut sums = vec![0.0f64; sizes.len()];
        for (&j, &g) in rows.iter().zip(&groups) {
            sums[g] += squared_distance(x.row(i), x.row(j)).sqrt();
        }
        let inside = sums[own] / (sizes[own] - 1) as f64;
        let others = (0..sizes.len()).filter(|&g| g != own).map(|g| sums[g] / sizes[g] as f64);
        let outside = others.fold(f64::INFINITY, f64::min);
        let larger = inside.max(outside);
        if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
    });
    let widths = widths.collect::<Vec<_>>();
    Ok(Some(widths.iter().sum::<f64>() / widths.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use ndarray::array;

    fn some(labels: &[u32]) -> Vec<Option<u32>> {
        labels.iter().map(|&l| Some(l)).collect()
    }

    #[test]
    fn against_scikit_learn() {
        // sklearn.metrics 1.9: adjusted_rand_score, normalized_mutual_info_score
        let (a, b) = (some(&[0, 0, 1, 1, 2, 2, 2]), some(&[0, 0, 1, 2, 2, 2, 1]));
        assert!((ari(&a, &b).unwrap() - 0.2125).abs() < 1e-12);
        assert!((nmi(&a, &b).unwrap() - 0.563_635_553_099_344_8).abs() < 1e-9, "{}", nmi(&a, &b).unwrap());
        assert!((purity(&a, &b).unwrap() - 5.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn the_corners() {
        let (one, own) = (some(&[0; 4]), some(&[0, 1, 2, 3]));
        assert_eq!(ari(&one, &one).unwrap(), 1.0);
        assert_eq!(ari(&own, &own).unwrap(), 1.0);
        assert_eq!(ari(&one, &own).unwrap(), 0.0);
        assert_eq!(nmi(&one, &one).unwrap(), 1.0);
        assert_eq!(nmi(&one, &own).unwrap(), 0.0);
        assert_eq!(purity(&[None], &[Some(1)]).unwrap(), 0.0);
        assert_eq!(ari(&[None, Some(0)], &[None, Some(5)]).unwrap(), 1.0);
        assert!(purity(&one, &own[..3]).is_err());
    }

    #[test]
    fn silhouette_of_two_pairs() {
        let x = Embeddings::new(array![[0.0], [1.0], [10.0], [12.0], [99.0]]).unwrap();
        let groups = [Some(0), Some(0), Some(7), Some(7), None];
        let rng = &mut Streams::new(0).named("s");
        // sklearn.metrics.silhouette_score([[0],[1],[10],[12]], [0,0,7,7])
        let expected = ((1.0 - 1.0 / 11.0) + (1.0 - 1.0 / 10.0) + (1.0 - 2.0 / 9.5) + (1.0 - 2.0 / 11.5)) / 4.0;
        assert!((silhouette(&x, &groups, 10, rng).unwrap().unwrap() - expected).abs() < 1e-12);
        assert_eq!(silhouette(&x, &[Some(1); 5], 10, rng).unwrap(), None);
        assert_eq!(silhouette(&x, &[None; 5], 10, rng).unwrap(), None);
        assert!(silhouette(&x, &groups[..2], 10, rng).is_err());
        assert!(silhouette(&x, &groups, 0, rng).is_err());
    }
}
