//! Greedy k-means++ (Arthur and Vassilvitskii 2007, section 2.2 with several candidates per step) as matrix products.
//!
//! The plain form computes the distances of one step's candidates to all points, k times: bound by memory. Here the
//! candidates of many steps are drawn at once from the distances as they are *now*. By the time a step uses one, the
//! distances may have shrunk; keeping candidate `x` with probability `now(x) / then(x)` makes the draw exact again
//! (rejection sampling, because distances never grow). Of a candidate's distances only those below the point's
//! distance *then* can ever matter, so a short list remains of each.

use crate::below::Below;
use crate::frame::Frame;
use crate::pack::{Lanes, Rows};
use crate::sweep::{Source, sweep};
use crate::tile::LANES;
use crate::{KernelError, Points, squared_distance};
use hybridrepair_core::Stream;
use rand::Rng;

/// Chosen points and what they cover.
#[derive(Clone, Debug)]
pub struct Seeding {
    /// Rows of the chosen points, in order; fewer than asked when there are fewer distinct points.
    pub chosen: Vec<u32>,
    /// For each point the position in `chosen` of its nearest.
    pub nearest: Vec<u32>,
    /// Sum of the squared distances to the nearest chosen point.
    pub potential: f64,
}

/// Chooses `k` points by greedy k-means++ with `2 + floor(ln k)` candidates per step.
///
/// # Errors
/// When `k` is 0 or above the number of points.
pub fn seed_centers(x: Points<'_>, k: usize, rng: &mut Stream) -> Result<Seeding, KernelError> {
    check_k(x, k)?;
    let packed = Packed::of(x);
    let state = packed.seed(x, k, rng);
    let potential = packed.frame.unscaled(state.potential());
    Ok(Seeding { chosen: state.chosen, nearest: state.nearest, potential })
}

pub(crate) fn check_k(x: Points<'_>, k: usize) -> Result<(), KernelError> {
    if k == 0 || k > x.len() {
        let expected = format!("between 1 and the {} points", x.len());
        return Err(KernelError::Count { what: "the number of clusters", given: k, expected });
    }
    Ok(())
}

/// Points in their frame, packed once for seeding and all passes after it.
pub(crate) struct Packed {
    pub(crate) frame: Frame,
    pub(crate) lanes: Lanes,
    pub(crate) norms: Vec<f32>,
}

/// A squared distance below this share of the norms is mostly rounding: it is taken again by differences.
const UNSURE: f32 = 1e-5;

impl Packed {
    pub(crate) fn of(x: Points<'_>) -> Self {
        let frame = Frame::of(x);
        let lanes = Lanes::pack(x.len(), x.dim(), |i, out| {
            frame.put(&x.row(i), 1.0, out);
        });
        let norms = frame.norms(x);
        Self { frame, lanes, norms }
    }

    /// Greedy k-means++ on the packed points.
    pub(crate) fn seed(&self, x: Points<'_>, k: usize, rng: &mut Stream) -> State {
        let n = x.len();
        let per_step = 2 + (k as f64).ln().floor() as usize;
        let first = rng.gen_range(0..n);
        let mut state = State { chosen: Vec::with_capacity(k), nearest: vec![0; n], squared: vec![f32::INFINITY; n] };
        for (_, hits) in self.hits(x, &[first as u32], &state.squared) {
            state.choose(first as u32, &hits);
        }
        let mut pending: Vec<(u32, Hits)> = Vec::new();
        while state.chosen.len() < k {
            let cumulative = running_sums(&state.squared);
            let total = *cumulative.last().expect("at least one point");
            if total <= 0.0 {
                break; // every point is a chosen one or equal to it
            }
            let steps = (state.chosen.len() / 8).clamp(1, 64).min(k - state.chosen.len());
            let drawn = (0..steps * per_step)
                .map(|_| {
                    let at = rng.r#gen::<f64>() * total;
                    cumulative.partition_point(|&c| c <= at).min(n - 1) as u32
                })
                .collect::<Vec<_>>();
            let then = drawn.iter().map(|&c| state.squared[c as usize]).collect::<Vec<_>>();
            for ((candidate, hits), then) in self.hits(x, &drawn, &state.squared).into_iter().zip(then) {
                let now = state.squared[candidate as usize];
                if rng.r#gen::<f64>() * f64::from(then) < f64::from(now) {
                    pending.push((candidate, hits));
                }
                if pending.len() == per_step {
                    let best = pending
                        .iter()
                        .enumerate()
                        .map(|(at, (_, hits))| (at, state.gain(hits)))
                        .reduce(|a, b| if b.1 > a.1 { b } else { a })
                        .map_or(0, |(at, _)| at);
                    let (candidate, hits) = pending.swap_remove(best);
                    state.choose(candidate, &hits);
                    pending.clear();
                    if state.chosen.len() == k {
                        break;
                    }
                }
            }
        }
        state
    }

    /// For each candidate all points that are nearer to it than `bound`, with the squared distance.
    fn hits(&self, x: Points<'_>, candidates: &[u32], bound: &[f32]) -> Vec<(u32, Hits)> {
        let d = x.dim();
        let rows = Rows::pack(candidates.len(), d, |r, out| self.frame.put(&x.row(candidates[r] as usize), -2.0, out));
        let mut panels = bound
            .chunks(LANES)
            .zip(self.norms.chunks(LANES))
            .map(|(bound, norm)| {
                let mut below = [f32::NEG_INFINITY; LANES];
                below.iter_mut().zip(bound.iter().zip(norm)).for_each(|(t, (b, n))| *t = b - n);
                Below::new(below)
            })
            .collect::<Vec<_>>();
        sweep(&rows, Source::Packed(&self.lanes), &mut panels);
        let mut out = candidates.iter().map(|&c| (c, Hits::new())).collect::<Vec<_>>();
        for (p, panel) in panels.iter().enumerate() {
            for &(row, lane, value) in &panel.found {
                let (point, candidate) = (p * LANES + lane as usize, candidates[row as usize]);
                let norm = self.norms[point];
                let squared = value + norm;
                let squared = if squared > UNSURE * (norm + self.norms[candidate as usize]) {
                    squared
                } else {
                    self.frame.scaled(squared_distance(&x.row(point), &x.row(candidate as usize))) as f32
                };
                out[row as usize].1.push((point as u32, squared));
            }
        }
        out
    }
}

/// Points near a candidate with their squared distances.
type Hits = Vec<(u32, f32)>;

/// What the points chosen so far cover.
pub(crate) struct State {
    pub(crate) chosen: Vec<u32>,
    pub(crate) nearest: Vec<u32>,
    pub(crate) squared: Vec<f32>,
}

impl State {
    pub(crate) fn potential(&self) -> f64 {
        self.squared.iter().map(|&s| f64::from(s)).sum()
    }

    /// By how much the potential falls when a candidate is chosen.
    fn gain(&self, hits: &Hits) -> f64 {
        hits.iter().map(|&(i, s)| f64::from((self.squared[i as usize] - s).max(0.0))).sum()
    }

    fn choose(&mut self, candidate: u32, hits: &Hits) {
        let position = self.chosen.len() as u32;
        self.chosen.push(candidate);
        for &(i, s) in hits {
            if s < self.squared[i as usize] {
                self.squared[i as usize] = s;
                self.nearest[i as usize] = position;
            }
        }
    }
}

fn running_sums(values: &[f32]) -> Vec<f64> {
    let mut sum = 0.0;
    let add = |&v: &f32| {
        sum += f64::from(v);
        sum
    };
    values.iter().map(add).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    fn line(values: &[f32]) -> Vec<f32> {
        values.iter().flat_map(|&v| [v, 0.5]).collect()
    }

    #[test]
    fn well_separated_groups_get_one_seed_each() {
        let data = line(&(0..300).map(|i| (i % 10) as f32 * 100.0 + (i / 10) as f32 * 1e-3).collect::<Vec<_>>());
        let x = Points::new(&data, 2).unwrap();
        let seeds = seed_centers(x, 10, &mut Streams::new(1).named("t")).unwrap();
        let mut groups = seeds.chosen.iter().map(|i| i % 10).collect::<Vec<_>>();
        groups.sort_unstable();
        assert_eq!(groups, (0..10).collect::<Vec<_>>());
        for (i, &c) in seeds.nearest.iter().enumerate() {
            assert_eq!(seeds.chosen[c as usize] % 10, i as u32 % 10);
        }
        assert!(seeds.potential < 1.0);
    }

    #[test]
    fn the_potential_is_that_of_the_chosen_points() {
        let mut rng = Streams::new(3).named("data");
        let data = (0..500 * 5).map(|_| rng.r#gen::<f32>() + 100.0).collect::<Vec<_>>();
        let x = Points::new(&data, 5).unwrap();
        let seeds = seed_centers(x, 40, &mut rng).unwrap();
        let mut distinct = seeds.chosen.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 40);
        let exact = (0..500)
            .map(|i| {
                let to = |&c: &u32| squared_distance(&x.row(i), &x.row(c as usize));
                seeds.chosen.iter().map(to).fold(f64::INFINITY, f64::min)
            })
            .sum::<f64>();
        assert!((seeds.potential / exact - 1.0).abs() < 1e-4, "{} {exact}", seeds.potential);
    }

    #[test]
    fn fewer_distinct_points_than_clusters() {
        let data = line(&(0..90).map(|i| (i % 3) as f32 + 0.1).collect::<Vec<_>>());
        let seeds = seed_centers(Points::new(&data, 2).unwrap(), 20, &mut Streams::new(1).named("t")).unwrap();
        assert_eq!(seeds.chosen.len(), 3);
        assert_eq!(seeds.potential, 0.0);
        assert!(seed_centers(Points::new(&data, 2).unwrap(), 91, &mut Streams::new(1).named("t")).is_err());
        assert!(seed_centers(Points::new(&data, 2).unwrap(), 0, &mut Streams::new(1).named("t")).is_err());
    }

    #[test]
    fn draws_follow_the_squared_distances() {
        // from 0 the points 1, 2, 3 have squared distances 1, 4, 9; with k = 2 there are two candidates, the better wins
        let data = [0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.0];
        let x = Points::new(&data, 2).unwrap();
        let mut counts = [[0u32; 4]; 4];
        for seed in 0..8000 {
            let s = seed_centers(x, 2, &mut Streams::new(seed).named("t")).unwrap();
            counts[s.chosen[0] as usize][s.chosen[1] as usize] += 1;
        }
        // potentials after choosing 1, 2, 3 from {0}: 0+0+1+4=5, 0+1+0+1=2, 0+1+1+0=2; a tie keeps the first drawn.
        // P(1) = both candidates are 1 = (1/14)^2
        let from0 = counts[0].iter().sum::<u32>() as f64;
        assert!((counts[0][1] as f64 / from0 - 1.0 / 196.0).abs() < 0.006, "{counts:?}");
        // P(3) = first drawn is 3, or first is 1 and second is 3 = 9/14 + 1/14 * 9/14
        let p3 = 9.0 / 14.0 + 9.0 / 196.0;
        assert!((counts[0][3] as f64 / from0 - p3).abs() < 0.04, "{counts:?} {p3}");
    }
}
