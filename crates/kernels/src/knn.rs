//! Exact nearest neighbours by blocks.
//!
//! A sweep in `f32` keeps a few more than `k` candidates per query; their distances are taken again in `f64`. An error
//! bound of the sweep tells whether a row that was not kept could still belong; for those queries (ties, duplicates)
//! a second sweep collects everything within the bound.

use crate::below::Below;
use crate::frame::Frame;
use crate::pack::Rows;
use crate::sweep::{Source, sweep};
use crate::tile::LANES;
use crate::topk::TopK;
use crate::{KernelError, Points, dot, squared_distance};
use hybridrepair_core::KnnGraph;
use rayon::prelude::*;
use std::sync::Mutex;

/// The `k` nearest rows of each query, nearest first, ties by lowest index.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbors {
    /// Neighbours per query.
    pub k: usize,
    /// `queries x k` row numbers.
    pub index: Vec<u32>,
    /// `queries x k` squared Euclidean distances.
    pub squared: Vec<f64>,
}

impl Neighbors {
    /// The neighbours of one query.
    pub fn of(&self, query: usize) -> (&[u32], &[f64]) {
        let range = query * self.k..(query + 1) * self.k;
        (&self.index[range.clone()], &self.squared[range])
    }
}

/// The exact k-nearest-neighbour graph of `x` (`n x d`), each row itself left out (but not its duplicates).
///
/// # Errors
/// When `k` is 0 or above `n - 1`.
pub fn knn_graph(x: Points<'_>, k: usize) -> Result<KnnGraph, KernelError> {
    let found = neighbors(x, k)?;
    let distances = found.squared.iter().map(|s| s.sqrt().min(f64::from(f32::MAX)) as f32).collect();
    Ok(KnnGraph::new(x.len(), k, found.index, distances)?)
}

/// As [`knn_graph`], with squared distances in `f64`.
///
/// # Errors
/// When `k` is 0 or above `n - 1`.
pub fn neighbors(x: Points<'_>, k: usize) -> Result<Neighbors, KernelError> {
    check(k, x.len() - 1)?;
    Ok(search(x, x, k, true))
}

/// The exact `k` nearest rows of `base` (`m x d`) for each of `queries` (`n x d`).
///
/// # Errors
/// When the dimensions differ, or `k` is 0 or above `m`.
pub fn top_k(queries: Points<'_>, base: Points<'_>, k: usize) -> Result<Neighbors, KernelError> {
    base.same_dim(queries, "queries")?;
    check(k, base.len())?;
    Ok(search(queries, base, k, false))
}

fn check(k: usize, most: usize) -> Result<(), KernelError> {
    if k == 0 || k > most {
        let expected = format!("between 1 and {most}");
        return Err(KernelError::Count { what: "the number of neighbours", given: k, expected });
    }
    Ok(())
}

/// Relative error of a squared distance by the kernel, as a share of `|x|^2 + |y|^2`.
///
/// `d` fused steps, each half a unit in the last place of a partial sum below `2|y|^2 + |x|^2`; one rounding of each
/// coordinate by the frame; the rounding of the norms.
pub(crate) fn kernel_error(d: usize) -> f64 {
    (2 * d + 16) as f64 * f64::from(f32::EPSILON) / 2.0
}

/// Up to so many numbers in `base`, exact distances to all rows cost less than what surrounds a sweep.
const FEW: usize = 24_000;

fn search(queries: Points<'_>, base: Points<'_>, k: usize, itself: bool) -> Neighbors {
    let way = if base.len() * base.dim() <= FEW { search_few } else { search_many };
    way(queries, base, k, itself)
}

fn search_many(queries: Points<'_>, base: Points<'_>, k: usize, itself: bool) -> Neighbors {
    let (n, d) = (queries.len(), queries.dim());
    let candidates = base.len() - usize::from(itself);
    // a few spare ones: their distances tell whether the sweep may have missed a neighbour
    let keep = (k + 4 + k / 8).min(candidates);
    let frame = Frame::of(base);
    let rows = Rows::pack(base.len(), d, |i, out| frame.put(&base.row(i), -2.0, out));
    let norms = frame.norms(queries);
    let eps = kernel_error(d);
    let mut index = vec![0u32; n * k];
    let mut squared = vec![0.0f64; n * k];
    // queries whose last neighbour is not certain, with the bound that certainly holds all of theirs
    let unsure = Mutex::new(Vec::<(usize, f32)>::new());
    let put = |i: usize, out: &mut [f32]| {
        frame.put(&queries.row(i), 1.0, out);
    };
    let mut panels = index
        .chunks_mut(LANES * k)
        .zip(squared.chunks_mut(LANES * k))
        .enumerate()
        .map(|(p, (index, squared))| {
            let skip = std::array::from_fn(|l| if itself { (p * LANES + l) as u32 } else { u32::MAX });
            let (unsure, frame, norms) = (&unsure, &frame, &norms);
            TopK::new(keep, skip, move |l, found: &[(f32, u32)]| {
                let query = p * LANES + l;
                if query >= n {
                    return;
                }
                let ranked = rank(&queries.row(query), base, found.iter().map(|f| f.1));
                for (at, &(s, j)) in ranked[..k].iter().enumerate() {
                    (index[l * k + at], squared[l * k + at]) = (j, s);
                }
                let (last, norm) = (ranked[k - 1].0, f64::from(norms[query]));
                let last_scaled = frame.scaled(last);
                // |y|^2 <= 2|x|^2 + 2|x - y|^2 makes the bound independent of far rows
                let reach = f64::from(found[keep - 1].0) + norm;
                // equal rows have equal entries: those of distance 0 that were kept are the first of them
                if keep < candidates && last > 0.0 && last_scaled * (1.0 + 2.0 * eps) >= reach - 3.0 * eps * norm {
                    let bound = last_scaled * (1.0 + 4.0 * eps) + 4.0 * eps * norm;
                    unsure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((query, bound as f32));
                }
            })
        })
        .collect::<Vec<_>>();
    sweep(&rows, Source::Fresh { n, row: &put }, &mut panels);
    drop(panels);
    let mut unsure = unsure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    unsure.sort_unstable_by_key(|u| u.0);
    for part in unsure.chunks(1024) {
        let put = |i: usize, out: &mut [f32]| {
            frame.put(&queries.row(part[i].0), 1.0, out);
        };
        let bounds = part.chunks(LANES).map(|lanes| {
            let mut below = [f32::NEG_INFINITY; LANES];
            // one unit up, because entries equal to the bound count
            below.iter_mut().zip(lanes).for_each(|(b, &(q, bound))| *b = (bound - norms[q]).next_up().next_up());
            Below::new(below)
        });
        let mut panels = bounds.collect::<Vec<_>>();
        sweep(&rows, Source::Fresh { n: part.len(), row: &put }, &mut panels);
        let ranked = part.par_iter().enumerate().map(|(at, &(query, _))| {
            let found = panels[at / LANES].found.iter();
            let rows = found.filter(|f| f.1 as usize == at % LANES && !(itself && f.0 as usize == query)).map(|f| f.0);
            let mut ranked = rank(&queries.row(query), base, rows);
            ranked.truncate(k);
            ranked
        });
        for (&(query, _), ranked) in part.iter().zip(ranked.collect::<Vec<_>>()) {
            for (at, (s, j)) in ranked.into_iter().enumerate() {
                (index[query * k + at], squared[query * k + at]) = (j, s);
            }
        }
    }
    Neighbors { k, index, squared }
}

/// The same by exact distances alone.
fn search_few(queries: Points<'_>, base: Points<'_>, k: usize, itself: bool) -> Neighbors {
    let nearest = |query: usize| {
        let row = queries.row(query);
        let others = (0..base.len() as u32).filter(|&j| !(itself && j as usize == query));
        let mut all = others.map(|j| (squared_distance(&row, &base.row(j as usize)), j)).collect::<Vec<_>>();
        let by = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if k < all.len() {
            all.select_nth_unstable_by(k, by);
            all.truncate(k);
        }
        all.sort_unstable_by(by);
        all
    };
    let found = (0..queries.len()).into_par_iter().with_min_len(16).flat_map_iter(nearest).collect::<Vec<_>>();
    Neighbors { k, index: found.iter().map(|f| f.1).collect(), squared: found.iter().map(|f| f.0).collect() }
}

/// Rows by exact distance, then by number.
fn rank(query: &[f32], base: Points<'_>, rows: impl Iterator<Item = u32>) -> Vec<(f64, u32)> {
    let mut ranked = rows.map(|j| (squared_distance(query, &base.row(j as usize)), j)).collect::<Vec<_>>();
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    ranked
}

/// Mean of the `k` smallest cosine distances `1 - cos` of each query (`n x d`) to the rows of `base` (`m x d`).
///
/// The density of `HybridRepair`'s threshold (k = 100). A zero row has distance 1 to everything. When `base` has fewer
/// than `k` rows, the mean is over all of them.
///
/// # Errors
/// When the dimensions differ or `k` is 0.
pub fn mean_k_smallest_cosine_distance(
    queries: Points<'_>,
    base: Points<'_>,
    k: usize,
) -> Result<Vec<f32>, KernelError> {
    base.same_dim(queries, "queries")?;
    check(k, usize::MAX)?;
    let k = k.min(base.len());
    let unit = |row: &[f32], sign: f64, out: &mut [f32]| {
        let norm = dot(row, row).sqrt();
        let factor = if norm > 0.0 { sign / norm } else { 0.0 };
        out.iter_mut().zip(row).for_each(|(o, &x)| *o = (f64::from(x) * factor) as f32);
    };
    let rows = Rows::pack(base.len(), base.dim(), |i, out| {
        unit(&base.row(i), -1.0, out);
        1.0
    });
    let put = |i: usize, out: &mut [f32]| unit(&queries.row(i), 1.0, out);
    let mut means = vec![0.0f32; queries.len()];
    let mut panels = means
        .chunks_mut(LANES)
        .map(|out| {
            TopK::new(k, [u32::MAX; LANES], move |l, found: &[(f32, u32)]| {
                if let Some(out) = out.get_mut(l) {
                    *out = (found.iter().map(|f| f64::from(f.0).clamp(0.0, 2.0)).sum::<f64>() / k as f64) as f32;
                }
            })
        })
        .collect::<Vec<_>>();
    sweep(&rows, Source::Fresh { n: queries.len(), row: &put }, &mut panels);
    drop(panels);
    Ok(means)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use proptest::prelude::*;
    use rand::Rng;

    fn brute(x: Points<'_>, k: usize) -> Vec<u32> {
        (0..x.len())
            .flat_map(|i| {
                let others = (0..x.len() as u32).filter(|&j| j as usize != i);
                rank(&x.row(i), x, others).into_iter().take(k).map(|r| r.1).collect::<Vec<_>>()
            })
            .collect()
    }

    fn both_ways(x: Points<'_>, k: usize) -> Vec<u32> {
        let (few, many) = (search_few(x, x, k, true), search_many(x, x, k, true));
        assert_eq!(few, many);
        assert_eq!(neighbors(x, k).unwrap(), few);
        few.index
    }

    #[test]
    fn random_points_at_an_offset() {
        let mut rng = Streams::new(1).named("t");
        for (n, d, k) in [(500, 3, 5), (300, 65, 20), (33, 8, 32), (2, 1, 1)] {
            let data = (0..n * d).map(|_| rng.r#gen::<f32>() + 1000.0).collect::<Vec<_>>();
            let x = Points::new(&data, d).unwrap();
            assert_eq!(both_ways(x, k), brute(x, k));
        }
    }

    #[test]
    fn queries_and_their_bad_counts() {
        let data = (0..60).map(|i| (i * i % 61) as f32).collect::<Vec<_>>();
        let (base, queries) = (Points::new(&data, 2).unwrap(), Points::new(&data[..10], 2).unwrap());
        let found = top_k(queries, base, 30).unwrap();
        for q in 0..5 {
            assert_eq!(found.of(q).0[0], q as u32);
            assert_eq!(found.of(q).1[0], 0.0);
        }
        assert!(top_k(queries, base, 31).is_err());
        assert!(neighbors(base, 0).is_err());
        assert!(neighbors(base, 30).is_err());
        assert!(top_k(Points::new(&data, 3).unwrap(), base, 1).is_err());
        let graph = knn_graph(base, 3).unwrap();
        assert_eq!((graph.len(), graph.k()), (30, 3));
    }

    #[test]
    fn cosine_means_against_the_definition() {
        let mut rng = Streams::new(2).named("t");
        let data = (0..120 * 6).map(|_| rng.r#gen::<f32>() - 0.3).collect::<Vec<_>>();
        let (a, b) = (Points::new(&data[..20 * 6], 6).unwrap(), Points::new(&data[20 * 6..], 6).unwrap());
        let got = mean_k_smallest_cosine_distance(a, b, 7).unwrap();
        for (i, got) in got.iter().enumerate() {
            let cos =
                |j| 1.0 - dot(&a.row(i), &b.row(j)) / (dot(&a.row(i), &a.row(i)) * dot(&b.row(j), &b.row(j))).sqrt();
            let mut all = (0..100).map(cos).collect::<Vec<_>>();
            all.sort_by(f64::total_cmp);
            assert!((f64::from(*got) - all[..7].iter().sum::<f64>() / 7.0).abs() < 1e-6);
        }
        let zeros = [0.0f32; 6];
        assert_eq!(mean_k_smallest_cosine_distance(Points::new(&zeros, 6).unwrap(), b, 1000).unwrap(), [1.0]);
    }

    proptest! {
        #[test]
        fn few_distinct_values_many_ties(values in prop::collection::vec(0u8..4, 4..200), k in 1usize..12, offset in -50i32..50) {
            let data = values.iter().map(|&v| f32::from(v) * 0.37 + offset as f32 * 13.7).collect::<Vec<_>>();
            let d = 2;
            let x = Points::new(&data[..data.len() / d * d], d).unwrap();
            prop_assume!(k < x.len());
            prop_assert_eq!(both_ways(x, k), brute(x, k));
        }
    }
}
