//! Lloyd's passes that only look where something can have changed.
//!
//! After a pass each point knows its own distance `u` and a bound `s` below its distance to any other centre. When its
//! own centre has not moved, or has come nearer, or stays nearer than `s`, a centre that stood still cannot win: the
//! point is compared with the moved centres only. A centre moves only when its members change, so the last passes of a
//! run with ten points per cluster cost next to nothing.
//!
//! With many points per cluster every centre moves in every pass, but less and less. No other centre can have come nearer
//! than `s` less its shift (Hamerly, SDM 2010); points that stay below that are not compared at all. Each pass takes the
//! cheaper of the two.

use crate::distance::nearest;
use crate::pack::Rows;
use crate::seeding::{Packed, State};
use crate::sweep::{Source, Visit, sweep};
use crate::tile::{LANES, ROWS, Tile};
use crate::{KMeans, KMeansParams, Points, squared_distance};
use rayon::prelude::*;

pub(crate) struct Lloyd<'a> {
    x: Points<'a>,
    /// How much each point counts in the means; all the same without.
    weights: Option<&'a [f64]>,
    packed: &'a Packed,
    /// Exact means, `k x d`.
    centers: Vec<f32>,
    labels: Vec<u32>,
    /// Squared distance to the own centre, in the frame.
    own: Vec<f32>,
    /// A bound below the squared distance to any other centre, in the frame.
    others: Vec<f32>,
}

impl<'a> Lloyd<'a> {
    pub(crate) fn start(x: Points<'a>, packed: &'a Packed, seeds: State) -> Self {
        let centers = seeds.chosen.iter().flat_map(|&c| x.row(c as usize).into_owned()).collect();
        // no other seed is nearer than the nearest
        let others = seeds.squared.clone();
        Self { x, weights: None, packed, centers, labels: seeds.nearest, others, own: seeds.squared }
    }

    /// From the rows `seeds` on, every point counting as its weight.
    pub(crate) fn weighted(x: Points<'a>, packed: &'a Packed, weights: &'a [f64], seeds: &[u32]) -> Self {
        let centers = seeds.iter().flat_map(|&c| x.row(c as usize).into_owned()).collect();
        let (labels, own) = (vec![0; x.len()], vec![0.0; x.len()]);
        let mut start = Self { x, weights: Some(weights), packed, centers, labels, others: own.clone(), own };
        let all = (0..seeds.len() as u32).collect::<Vec<_>>();
        start.compare_all(&all, true);
        start
    }

    fn weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[i])
    }

    fn k(&self) -> usize {
        self.centers.len() / self.x.dim()
    }

    pub(crate) fn run(mut self, params: &KMeansParams) -> KMeans {
        let limit = params.tolerance * self.mean_variance();
        let mut dirty = vec![true; self.k()];
        let mut iterations = 0;
        while iterations < params.max_iter {
            iterations += 1;
            self.fill_empty(&mut dirty);
            let shifts = self.update(&dirty);
            let moved = (0..shifts.len()).filter(|&c| shifts[c] > 0.0).map(|c| c as u32).collect::<Vec<_>>();
            if moved.is_empty() {
                break;
            }
            let before = self.labels.clone();
            self.assign(&moved, &shifts);
            dirty.fill(false);
            for (&a, &b) in before.iter().zip(&self.labels) {
                if a != b {
                    dirty[a as usize] = true;
                    dirty[b as usize] = true;
                }
            }
            if shifts.iter().sum::<f64>() <= limit {
                break;
            }
        }
        self.finish(iterations)
    }

    /// Mean over the columns of their (weighted) variance, in the units of the data.
    fn mean_variance(&self) -> f64 {
        let (n, d) = (self.x.len(), self.x.dim());
        let Some(weights) = self.weights else {
            let total = self.packed.norms.iter().map(|&v| f64::from(v)).sum::<f64>();
            return self.packed.frame.unscaled(total) / (n * d) as f64;
        };
        let total = weights.iter().sum::<f64>();
        let (mut mean, mut square) = (vec![0f64; d], vec![0f64; d]);
        for (i, &weight) in weights.iter().enumerate() {
            for ((m, s), &v) in mean.iter_mut().zip(&mut square).zip(&*self.x.row(i)) {
                *m += weight / total * f64::from(v);
                *s += weight / total * f64::from(v) * f64::from(v);
            }
        }
        mean.iter().zip(&square).map(|(m, s)| (s - m * m).max(0.0)).sum::<f64>() / d as f64
    }

    /// Gives each empty cluster the point that is farthest from its centre, of a cluster with another member.
    fn fill_empty(&mut self, dirty: &mut [bool]) {
        let mut sizes = vec![0usize; self.k()];
        for &c in &self.labels {
            sizes[c as usize] += 1;
        }
        let empty = (0..sizes.len()).filter(|&c| sizes[c] == 0).collect::<Vec<_>>();
        if empty.is_empty() {
            return;
        }
        // a point without weight gives no mean
        let mut far = (0..self.labels.len()).filter(|&i| self.weight(i) > 0.0).collect::<Vec<_>>();
        let loss = |i: usize| self.weight(i) * f64::from(self.own[i]);
        far.sort_by(|&a, &b| loss(b).total_cmp(&loss(a)).then(a.cmp(&b)));
        let mut far = far.into_iter();
        for c in empty {
            // at least as many points as clusters: without weights one is always found
            let Some(i) = far.find(|&i| sizes[self.labels[i] as usize] > 1) else { return };
            let from = std::mem::replace(&mut self.labels[i], c as u32) as usize;
            sizes[from] -= 1;
            sizes[c] = 1;
            (dirty[from], dirty[c]) = (true, true);
            // it knows nothing of its new neighbourhood
            (self.own[i], self.others[i]) = (0.0, 0.0);
        }
    }

    /// Means of the clusters whose members changed; returns the squared shift of every centre.
    fn update(&mut self, dirty: &[bool]) -> Vec<f64> {
        let (d, k) = (self.x.dim(), self.k());
        let (starts, members) = members(&self.labels, k);
        let (x, weights) = (self.x, self.weights);
        self.centers
            .par_chunks_mut(d)
            .enumerate()
            .map_init(
                || vec![0.0f64; d],
                |sum, (c, center)| {
                    let members = &members[starts[c]..starts[c + 1]];
                    let weight = |i: u32| weights.map_or(1.0, |weights| weights[i as usize]);
                    let mass = members.iter().map(|&i| weight(i)).sum::<f64>();
                    if !dirty[c] || mass <= 0.0 {
                        return 0.0;
                    }
                    sum.fill(0.0);
                    for &i in members {
                        let w = weight(i);
                        sum.iter_mut().zip(&*x.row(i as usize)).for_each(|(s, &v)| *s += w * f64::from(v));
                    }
                    let mut shift = 0.0;
                    for (s, c) in sum.iter().zip(center) {
                        let mean = (s / mass) as f32;
                        shift += (f64::from(mean) - f64::from(*c)).powi(2);
                        *c = mean;
                    }
                    shift
                },
            )
            .collect()
    }

    /// Assigns all points anew, given which centres moved and the squared shifts of all.
    fn assign(&mut self, moved: &[u32], shifts: &[f64]) {
        let (n, k) = (self.x.len(), self.k());
        let looks = self.looks(shifts);
        let chosen =
            |which: fn(&Look) -> bool| (0..n).filter(|&i| which(&looks[i])).map(|i| i as u32).collect::<Vec<_>>();
        let (full, open) = (chosen(|look| look.still), chosen(|look| look.open));
        for (own, look) in self.own.iter_mut().zip(&looks) {
            *own = look.own;
        }
        let all = (0..k as u32).collect::<Vec<_>>();
        // points packed anew cost more than those that are packed
        let by_moved =
            if full.len() * 2 > n || moved.len() * 10 > k * 9 { n * k } else { n * moved.len() + full.len() * k };
        if open.len() * k * 5 / 4 < by_moved {
            for (others, look) in self.others.iter_mut().zip(&looks) {
                *others = look.others;
            }
            self.compare_some(&open, &all);
        } else if by_moved == n * k {
            self.compare_all(&all, true);
        } else {
            self.compare_all(moved, false);
            self.compare_some(&full, &all);
        }
    }

    /// What each point can be sure of once the centres have moved.
    fn looks(&self, shifts: &[f64]) -> Vec<Look> {
        let (x, d, frame) = (self.x, self.x.dim(), &self.packed.frame);
        let far = shifts.iter().map(|&s| frame.scaled(s).sqrt()).collect::<Vec<_>>();
        let (mut farthest, mut second) = (0, 0.0f64);
        for (c, &shift) in far.iter().enumerate().skip(1) {
            if shift > far[farthest] {
                (second, farthest) = (far[farthest], c);
            } else {
                second = second.max(shift);
            }
        }
        let mut center = vec![0.0; d];
        let longest = self.centers.chunks_exact(d).map(|c| frame.put(c, 1.0, &mut center)).fold(0.0, f32::max);
        (0..x.len())
            .into_par_iter()
            .map(|i| {
                let c = self.labels[i] as usize;
                let moved = shifts[c] > 0.0;
                let own = if moved {
                    frame.scaled(squared_distance(&x.row(i), &self.centers[c * d..(c + 1) * d])) as f32
                } else {
                    self.own[i]
                };
                let reach = if c == farthest { second } else { far[farthest] };
                let slack = UNSURE * f64::from(self.packed.norms[i] + longest);
                let others = (f64::from(self.others[i]).sqrt() - reach).max(0.0).powi(2) - slack;
                Look {
                    own,
                    others: others.max(0.0) as f32,
                    still: moved && own > self.own[i] && own > self.others[i],
                    open: f64::from(own) >= others,
                }
            })
            .collect()
    }

    fn rows(&self, centers: &[u32]) -> Rows {
        let d = self.x.dim();
        Rows::pack(centers.len(), d, |r, out| {
            let c = centers[r] as usize;
            self.packed.frame.put(&self.centers[c * d..(c + 1) * d], -2.0, out)
        })
    }

    fn compare_all(&mut self, centers: &[u32], all: bool) {
        let mut panels = vec![TwoLowest::default(); self.x.len().div_ceil(LANES)];
        sweep(&self.rows(centers), Source::Packed(&self.packed.lanes), &mut panels);
        let states = (self.labels.par_chunks_mut(LANES).zip(self.own.par_chunks_mut(LANES)))
            .zip(self.others.par_chunks_mut(LANES).zip(self.packed.norms.par_chunks(LANES)));
        states.zip(&panels).with_min_len(32).for_each(|(((labels, own), (others, norms)), panel)| {
            for (lane, &norm) in norms.iter().enumerate() {
                let state = (&mut labels[lane], &mut own[lane], &mut others[lane]);
                take(state, norm, panel, lane, centers, all);
            }
        });
    }

    fn compare_some(&mut self, points: &[u32], all: &[u32]) {
        let row = |i: usize, out: &mut [f32]| {
            self.packed.frame.put(&self.x.row(points[i] as usize), 1.0, out);
        };
        let lanes = Source::Fresh { n: points.len(), row: &row };
        let mut panels = vec![TwoLowest::default(); points.len().div_ceil(LANES)];
        sweep(&self.rows(all), lanes, &mut panels);
        for (at, &i) in points.iter().enumerate() {
            let i = i as usize;
            let state = (&mut self.labels[i], &mut self.own[i], &mut self.others[i]);
            take(state, self.packed.norms[i], &panels[at / LANES], at % LANES, all, true);
        }
    }

    /// The nearest of the final centres for every point, without empty clusters.
    fn finish(mut self, iterations: usize) -> KMeans {
        let d = self.x.dim();
        let mut dirty = vec![false; self.k()];
        self.fill_empty(&mut dirty);
        if dirty.contains(&true) {
            self.update(&dirty);
            if let Ok(found) = nearest(self.x, Points::trusted(&self.centers, d)) {
                self.labels = found.index;
            }
        }
        // equal centres leave all but the first without members
        let mut sizes = vec![0u32; self.k()];
        for &c in &self.labels {
            sizes[c as usize] += 1;
        }
        let mut new = vec![0u32; self.k()];
        let mut centers = Vec::with_capacity(self.centers.len());
        for c in (0..self.k()).filter(|&c| sizes[c] > 0) {
            new[c] = (centers.len() / d) as u32;
            centers.extend_from_slice(&self.centers[c * d..(c + 1) * d]);
        }
        for c in &mut self.labels {
            *c = new[*c as usize];
        }
        let own = |i: usize| {
            let c = self.labels[i] as usize;
            squared_distance(&self.x.row(i), &centers[c * d..(c + 1) * d])
        };
        let squared = (0..self.x.len()).into_par_iter().map(|i| self.weight(i) * own(i)).collect::<Vec<_>>();
        KMeans { inertia: squared.iter().sum(), dim: d, labels: self.labels, iterations, centers }
    }
}

/// The share of the squared lengths below which a difference of two distances may be rounding.
const UNSURE: f64 = 1e-5;

/// A point after its centres have moved.
struct Look {
    /// Squared distance to the own centre where it is now.
    own: f32,
    /// A bound below the squared distance to any other centre where it is now.
    others: f32,
    /// Whether a centre that stood still may win.
    still: bool,
    /// Whether any other centre may win.
    open: bool,
}

/// Takes the two nearest of the compared centres for one point of squared length `norm`: its label, the squared distance
/// to its own centre, and the bound on the others.
#[inline]
fn take(
    (label, own, others): (&mut u32, &mut f32, &mut f32),
    norm: f32,
    panel: &TwoLowest,
    lane: usize,
    centers: &[u32],
    all: bool,
) {
    let (best, second) = ((panel.best[lane] + norm).max(0.0), (panel.second[lane] + norm).max(0.0));
    let winner = centers[panel.index[lane] as usize];
    if all {
        (*label, *own, *others) = (winner, best, second);
    } else if winner == *label {
        *others = others.min(second);
    } else if best < *own || (best == *own && winner < *label) {
        // the old centre is one of the others now
        (*label, *own, *others) = (winner, best, others.min(*own).min(second));
    } else {
        *others = others.min(best);
    }
}

/// Members of each cluster in row order, as offsets into one list.
fn members(labels: &[u32], k: usize) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0usize; k + 1];
    for &c in labels {
        starts[c as usize + 1] += 1;
    }
    for c in 0..k {
        starts[c + 1] += starts[c];
    }
    let mut next = starts.clone();
    let mut members = vec![0u32; labels.len()];
    for (i, &c) in labels.iter().enumerate() {
        members[next[c as usize]] = i as u32;
        next[c as usize] += 1;
    }
    (starts, members)
}

/// Lowest and second lowest row per lane.
#[derive(Clone)]
struct TwoLowest {
    best: [f32; LANES],
    second: [f32; LANES],
    index: [u32; LANES],
}

impl Default for TwoLowest {
    fn default() -> Self {
        Self { best: [f32::INFINITY; LANES], second: [f32::INFINITY; LANES], index: [0; LANES] }
    }
}

impl Visit for TwoLowest {
    #[inline(always)]
    fn tile(&mut self, first: usize, tile: &Tile) {
        for r in 0..ROWS {
            let row = (first + r) as u32;
            for l in 0..LANES {
                let v = tile.0[r].0[l];
                let lower = v < self.best[l];
                let beaten = if lower { self.best[l] } else { v };
                self.second[l] = if beaten < self.second[l] { beaten } else { self.second[l] };
                self.best[l] = if lower { v } else { self.best[l] };
                self.index[l] = if lower { row } else { self.index[l] };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{KMeansParams, Points, kmeans, squared_distance};
    use hybridrepair_core::{Stream, Streams};
    use rand::Rng;

    fn blobs(n: usize, d: usize, groups: usize, rng: &mut Stream) -> Vec<f32> {
        let means = (0..groups * d).map(|_| rng.r#gen::<f32>() * 4.0).collect::<Vec<_>>();
        let at = |i: usize, j: usize| means[(i % groups) * d + j];
        (0..n * d).map(|e| at(e / d, e % d) + rng.r#gen::<f32>() + rng.r#gen::<f32>()).collect()
    }

    #[test]
    fn every_point_is_with_its_nearest_centre_and_centres_are_means() {
        let mut rng = Streams::new(5).named("t");
        for (n, d, k) in [(700, 7, 60), (257, 33, 256), (3000, 20, 12), (100, 1, 10), (1, 3, 1), (40, 2, 1)] {
            let data = blobs(n, d, 9, &mut rng);
            let x = Points::new(&data, d).unwrap();
            let params = KMeansParams { tolerance: 0.0, ..KMeansParams::new(k) };
            let found = kmeans(x, &params, &mut rng).unwrap();
            assert_eq!(found.k(), k);
            let mut inertia = 0.0;
            for i in 0..n {
                let own = squared_distance(&x.row(i), &found.points().row(found.labels[i] as usize));
                inertia += own;
                for c in 0..k {
                    let other = squared_distance(&x.row(i), &found.points().row(c));
                    assert!(own <= other * (1.0 + 1e-4) + 1e-6, "point {i}: {own} is not {other} of {c}");
                }
            }
            assert!((found.inertia - inertia).abs() <= 1e-9 * inertia);
            for c in 0..k {
                let members = (0..n).filter(|&i| found.labels[i] as usize == c).collect::<Vec<_>>();
                assert!(!members.is_empty());
                for j in 0..d {
                    let mean = members.iter().map(|&i| f64::from(x.row(i)[j])).sum::<f64>() / members.len() as f64;
                    assert!((mean - f64::from(found.points().row(c)[j])).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let mut rng = Streams::new(6).named("t");
        let data = blobs(900, 20, 30, &mut rng);
        let x = Points::new(&data, 20).unwrap();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| kmeans(x, &KMeansParams::new(80), &mut Streams::new(1).named("k")).unwrap())
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn hostile_points() {
        let rng = &mut Streams::new(7).named("t");
        // all equal, at a large offset
        let same = vec![12345.678f32; 50 * 4];
        let found = kmeans(Points::new(&same, 4).unwrap(), &KMeansParams::new(5), rng).unwrap();
        assert_eq!((found.k(), found.inertia), (1, 0.0));
        // numbers whose squares overflow or vanish
        for scale in [1e30f32, 1e-30, 3e38] {
            let data = (0..200)
                .map(|i| if i % 2 == 0 { scale } else { -scale } * (1.0 - (i % 5) as f32 * 1e-3))
                .collect::<Vec<_>>();
            let found = kmeans(Points::new(&data, 1).unwrap(), &KMeansParams::new(2), rng).unwrap();
            assert_eq!(found.k(), 2);
            assert!((0..200).all(|i| found.labels[i] == found.labels[i % 2]), "{scale}");
        }
        // a tight group far from the origin
        let far = (0..100).map(|i| 1e4 + (i % 2) as f32).collect::<Vec<_>>();
        let found = kmeans(Points::new(&far, 1).unwrap(), &KMeansParams::new(2), rng).unwrap();
        assert_eq!(found.inertia, 0.0);
        let params = KMeansParams { restarts: 0, ..KMeansParams::new(2) };
        assert!(kmeans(Points::new(&far, 1).unwrap(), &params, rng).is_err());
    }
}
