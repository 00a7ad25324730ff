//! Sums over the likeness of all pairs of points, by blocks of matrix products: what greedy coverage is made of.

use crate::kept::Kept;
use crate::likeness::Likeness;
use crate::pack::{Lanes, Rows};
use crate::pairs::{Above, InBlocks, Keep, Lost, Pairs};
use crate::sweep::{Source, sweep};
use crate::tile::{LANES, Lane, ROWS};
use crate::{Points, dot, inverse_length};
use rayon::prelude::*;
use std::sync::atomic::AtomicUsize;

/// Points of unit length, packed once, and how alike they are.
///
/// The likeness of two points is the same number, to the last bit, wherever it is computed and in either order.
pub struct Similarity {
    n: usize,
    d: usize,
    lanes: Lanes,
    norms: Vec<f32>,
    likeness: Likeness,
    /// All pairs, when they were kept.
    kept: Option<Kept>,
}

/// A point beside which other things have come to count less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The point.
    pub at: u32,
    /// Its weight, finite and not negative.
    pub weight: f32,
    /// The likeness above which another point counted before.
    pub from: f32,
    /// The likeness above which it counts now, at least `from`.
    pub to: f32,
}

/// Bytes of packed rows that are held at a time.
const BLOCK_BYTES: usize = 32 << 20;

impl Similarity {
    /// The rows `order` of `x`, each divided by its length (a zero row stays zero), in this order.
    ///
    /// Memory: a packed copy of these rows.
    pub fn of_units(x: Points<'_>, order: &[u32], likeness: Likeness) -> Self {
        let (n, d) = (order.len(), x.dim());
        // writes through `put(number, number of the unit row)`
        let unit = |i: usize, put: &mut dyn FnMut(usize, f64)| {
            let row = x.row(order[i] as usize);
            let inverse = inverse_length(&row);
            row.iter().enumerate().for_each(|(j, &v)| put(j, f64::from(v) * inverse));
        };
        // distances lose fewer digits around the mean; summed in fixed blocks, the same for any number of threads
        let sums = (0..n.div_ceil(1024)).into_par_iter().map(|block| {
            let mut sum = vec![0.0f64; d];
            for i in block * 1024..n.min((block + 1) * 1024) {
                unit(i, &mut |j, v| sum[j] += v);
            }
            sum
        });
        let mut mean = vec![0.0f64; d];
        for sum in sums.collect::<Vec<_>>() {
            mean.iter_mut().zip(sum).for_each(|(m, s)| *m += s / n as f64);
        }
        let lanes = Lanes::pack(n, d, |i, out| {
            unit(i, &mut |j, v| out[j] = (v - mean[j]) as f32);
        });
        let norms = (0..n).into_par_iter().map_init(
            || vec![0.0; d],
            |buffer, i| {
                lanes.row(i, buffer);
                dot(buffer, buffer) as f32
            },
        );
        let norms = norms.collect();
        Self { n, d, lanes, norms, likeness, kept: None }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Bytes that [`Similarity::keep`] would hold for `n` points.
    pub fn bytes_to_keep(n: usize) -> usize {
        n.saturating_mul(n.div_ceil(LANES)).saturating_mul(size_of::<Lane>())
    }

    /// Computes all pairs once and keeps them: everything after it reads them.
    pub fn keep(&mut self) {
        let mut panels = self.panels(&self.norms, |_, pairs| Keep { pairs, out: Vec::with_capacity(self.n) });
        let all = (0..self.n as u32).collect::<Vec<_>>();
        self.sweep(&all, &mut panels);
        self.kept = Some(Kept(panels.into_iter().map(|p| p.out).collect()));
    }

    /// The likeness of all points to each of a few.
    pub fn columns(&self, of: &[u32]) -> Vec<Vec<f32>> {
        if let Some(kept) = &self.kept {
            return of.iter().map(|&at| kept.column(at as usize, self.n)).collect();
        }
        let norms = of.iter().map(|&at| self.norms[at as usize]).collect::<Vec<_>>();
        let mut panels = self.panels(&norms, |_, pairs| Keep { pairs, out: Vec::with_capacity(of.len()) });
        self.sweep(of, &mut panels);
        let column = |r: usize| panels.iter().flat_map(|p| p.out[r].0).take(self.n).collect();
        (0..of.len()).into_par_iter().map(column).collect()
    }

    /// For each point `c` the sum over `changes` of `weight * ([k(at, c) - from]_+ - [k(at, c) - to]_+)`.
    ///
    /// With `to` infinite it is what `c` adds to a coverage, and else by how much that has become less.
    pub fn lost(&self, changes: &[Change]) -> Vec<f64> {
        let sums = if let Some(kept) = &self.kept {
            kept.lost(changes)
        } else {
            let at = changes.iter().map(|c| c.at).collect::<Vec<_>>();
            let norms = at.iter().map(|&at| self.norms[at as usize]).collect::<Vec<_>>();
            let reach = changes.iter().map(|c| self.likeness.reach(c.from)).collect::<Vec<_>>();
            let lost = |_, pairs| Lost { pairs, changes, reach: &reach, sums: [0.0; LANES] };
            let mut panels = self.panels(&norms, lost);
            self.sweep(&at, &mut panels);
            panels.into_iter().map(|p| p.sums).collect()
        };
        sums.into_iter().flatten().take(self.n).collect()
    }

    /// For each point all points, in order, that are more like it than its floor, itself included, with the likeness; a
    /// floor of 1 or more gives none. `None` when there are more than `most` of them in all.
    ///
    /// Memory: 8 bytes for each of them.
    pub fn above(&self, floor: &[f32], most: usize) -> Option<Vec<Vec<(u32, f32)>>> {
        let count = AtomicUsize::new(0);
        let mut panels = self.panels(&self.norms, |p, pairs| {
            let mut lanes = [f32::INFINITY; LANES];
            lanes.iter_mut().zip(&floor[p * LANES..]).for_each(|(l, &f)| *l = f);
            let reach = lanes.map(|f| if f >= 1.0 { f32::NEG_INFINITY } else { self.likeness.reach(f) });
            Above { pairs, floor: lanes, reach, found: vec![Vec::new(); LANES], new: 0, count: &count, most }
        });
        let all = (0..self.n as u32).collect::<Vec<_>>();
        self.sweep(&all, &mut panels);
        let found = panels.into_iter().flat_map(|p| p.found).take(self.n).collect();
        (count.into_inner() <= most).then_some(found)
    }

    /// One visitor per panel.
    fn panels<'a, V>(&self, rows: &'a [f32], make: impl Fn(usize, Pairs<'a>) -> V) -> Vec<V> {
        let panel = |(p, chunk): (usize, &[f32])| {
            let mut lanes = [0.0; LANES];
            lanes[..chunk.len()].copy_from_slice(chunk);
            make(p, Pairs { lanes, rows, start: 0, like: self.likeness })
        };
        self.norms.chunks(LANES).enumerate().map(panel).collect()
    }

    /// Shows the visitors the tiles of some points, a bounded number of packed rows at a time.
    fn sweep<'a, V: InBlocks<'a>>(&self, at: &[u32], panels: &mut [V]) {
        let block = (BLOCK_BYTES / (4 * self.d)).max(1).next_multiple_of(ROWS);
        for (b, at) in at.chunks(block).enumerate() {
            let rows = Rows::pack(at.len(), self.d, |i, out| {
                self.lanes.row(at[i] as usize, out);
                0.0
            });
            for panel in panels.iter_mut() {
                panel.pairs().start = b * block;
            }
            sweep(&rows, Source::Packed(&self.lanes), panels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use rand::Rng;

    fn points(n: usize, d: usize) -> Vec<f32> {
        let mut rng = Streams::new(1).named("similarity");
        (0..n * d).map(|_| rng.gen_range(-1.0f32..1.5)).collect()
    }

    /// All likenesses in f64 from the definition.
    fn plain(x: Points<'_>, like: Likeness) -> Vec<Vec<f64>> {
        let unit = |i: usize| {
            let row = x.row(i);
            let norm = dot(&row, &row).sqrt();
            row.iter().map(|&v| f64::from(v) / norm).collect::<Vec<_>>()
        };
        let units = (0..x.len()).map(unit).collect::<Vec<_>>();
        let of = |a: &[f64], b: &[f64]| {
            let squared = a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
            match like {
                Likeness::Gaussian { sharpness } => (-f64::from(sharpness) * squared).exp(),
                Likeness::Ball { squared: radius } => f64::from(u8::from(squared < f64::from(radius))),
            }
        };
        units.iter().map(|a| units.iter().map(|b| of(a, b)).collect()).collect()
    }

    #[test]
    fn all_sums_are_those_of_the_definition_kept_or_not() {
        for (n, d) in [(1, 1), (33, 2), (150, 19)] {
            let data = points(n, d);
            let x = Points::new(&data, d).unwrap();
            for like in [Likeness::Gaussian { sharpness: 2.0 }, Likeness::Ball { squared: 0.7 }] {
                let k = plain(x, like);
                let order = (0..n as u32).collect::<Vec<_>>();
                let mut similarity = Similarity::of_units(x, &order, like);
                let changes = (0..n as u32).step_by(2).map(|at| Change { at, weight: 0.5, from: 0.1, to: 0.4 });
                let changes = changes.collect::<Vec<_>>();
                let lost = |c: usize| -> f64 {
                    changes.iter().map(|h| 0.5 * ((k[h.at as usize][c] - 0.1).clamp(0.0, 0.3))).sum()
                };
                let mut before = None;
                for _ in 0..2 {
                    let got = similarity.lost(&changes);
                    assert_eq!(got.len(), n);
                    (0..n).for_each(|c| assert!((got[c] - lost(c)).abs() < 1e-5, "{n} {c}"));
                    let columns = similarity.columns(&[0, (n / 2) as u32]);
                    for i in 0..n {
                        assert!((f64::from(columns[0][i]) - k[i][0]).abs() < 1e-5);
                        assert!((f64::from(columns[1][i]) - k[i][n / 2]).abs() < 1e-5);
                    }
                    let now = (got, columns);
                    assert!(before.as_ref().is_none_or(|before| *before == now), "to the last bit");
                    before = Some(now);
                    similarity.keep();
                }
            }
        }
    }

    #[test]
    fn lists_hold_what_is_above_and_are_symmetric() {
        let (n, d) = (100, 5);
        let data = points(n, d);
        let order = (0..n as u32).rev().collect::<Vec<_>>();
        let similarity =
            Similarity::of_units(Points::new(&data, d).unwrap(), &order, Likeness::Gaussian { sharpness: 1.0 });
        let all = similarity.above(&vec![0.0; n], n * n).unwrap();
        for (i, list) in all.iter().enumerate() {
            assert_eq!(list.iter().map(|e| e.0).collect::<Vec<_>>(), (0..n as u32).collect::<Vec<_>>());
            assert_eq!(similarity.columns(&[i as u32])[0], list.iter().map(|e| e.1).collect::<Vec<_>>());
            for &(c, k) in list {
                assert_eq!(all[c as usize][i].1, k, "the same in either order");
            }
        }
        let mut floor = vec![0.5; n];
        floor[7] = 1.0;
        for (i, list) in similarity.above(&floor, n * n).unwrap().into_iter().enumerate() {
            let want = all[i].iter().copied().filter(|e| e.1 > floor[i]).collect::<Vec<_>>();
            assert_eq!(list, want);
        }
        assert!(similarity.above(&vec![0.0; n], n * n - 1).is_none());
    }

    #[test]
    fn long_rows_pass_in_blocks() {
        // 32 MiB hold fewer rows than there are
        let (n, d) = (450, 20_000);
        let data = points(n, d);
        let order = (0..n as u32).collect::<Vec<_>>();
        let like = Likeness::Gaussian { sharpness: 1.0 };
        let similarity = Similarity::of_units(Points::new(&data, d).unwrap(), &order, like);
        let all = similarity.above(&vec![0.0; n], n * n).unwrap();
        assert!(all.iter().all(|list| list.len() == n));
        let changes = order.iter().map(|&at| Change { at, weight: 1.0, from: 0.0, to: f32::INFINITY });
        for (got, list) in similarity.lost(&changes.collect::<Vec<_>>()).iter().zip(&all) {
            let want = list.iter().map(|e| f64::from(e.1)).sum::<f64>();
            assert!((got - want).abs() < 1e-6 * want);
        }
    }
}
