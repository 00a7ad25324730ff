//! The exact minimum spanning tree of mutual reachability, by Boruvka's rounds.
//!
//! In each round every component but the largest looks for its shortest edge to another component. The first rounds
//! find theirs in lists of nearest neighbours; a point whose list lies inside its own component searches all others by
//! a sweep, but only when an edge shorter than the best of its component can exist. Weights are decided in `f64`.

use crate::frame::Frame;
use crate::knn::{Neighbors, kernel_error, neighbors};
use crate::outside::{Context, Outside};
use crate::pack::Rows;
use crate::sweep::{Source, sweep};
use crate::tile::LANES;
use crate::{KernelError, Points};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An edge of a spanning tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// One end.
    pub a: u32,
    /// The other end.
    pub b: u32,
    /// Mutual reachability distance.
    pub weight: f64,
}

/// Neighbours per point in the lists.
const LIST: usize = 16;

/// The minimum spanning tree of `max(core_i, core_j, |x_i - x_j|)`, `n - 1` edges by ascending weight, ends, order.
///
/// `core_i` is the distance to the `min_samples`-th nearest point, the point itself counted, as in the Python package
/// `hdbscan` 0.8.27 (Campello et al. 2013, definition 1); with `min_samples` 1 all are 0. Memory is `O(n)` beside one
/// packed copy of `x`.
///
/// # Errors
/// When `min_samples` is 0 or above the number of points.
pub fn mutual_reachability_tree(x: Points<'_>, min_samples: usize) -> Result<Vec<Edge>, KernelError> {
    check(x, min_samples)?;
    if x.len() == 1 {
        return Ok(Vec::new());
    }
    let (core, lists) = cores(x, min_samples)?;
    Ok(spanning_tree(x, &core, &lists))
}

fn check(x: Points<'_>, min_samples: usize) -> Result<(), KernelError> {
    if min_samples == 0 || min_samples > x.len() {
        let expected = format!("between 1 and the {} points", x.len());
        return Err(KernelError::Count { what: "min_samples", given: min_samples, expected });
    }
    Ok(())
}

/// Squared core distances, and the lists that they come from.
fn cores(x: Points<'_>, min_samples: usize) -> Result<(Vec<f64>, Neighbors), KernelError> {
    let n = x.len();
    let lists = neighbors(x, LIST.max(min_samples - 1).min(n - 1))?;
    let core = |i: usize| if min_samples == 1 { 0.0 } else { lists.of(i).1[min_samples - 2] };
    Ok(((0..n).map(core).collect(), lists))
}

fn spanning_tree(x: Points<'_>, core: &[f64], lists: &Neighbors) -> Vec<Edge> {
    let mut forest = Forest::new(x, core, lists);
    while forest.components > 1 {
        forest.round();
    }
    let mut edges = forest.edges;
    for e in &mut edges {
        (e.a, e.b, e.weight) = (e.a.min(e.b), e.a.max(e.b), e.weight.sqrt());
    }
    edges.sort_unstable_by(|a, b| a.weight.total_cmp(&b.weight).then((a.a, a.b).cmp(&(b.a, b.b))));
    edges
}

/// The same tree as the path that Prim's algorithm walks from point 0 (lowest point on ties), by ascending weight, of
/// equal edges the one walked first.
///
/// Its connected groups at any distance are those of [`mutual_reachability_tree`]. Where several edges weigh the same, a
/// hierarchy built pair by pair depends on their order; this is the order of the Python package `hdbscan` (and of
/// scikit-learn) when its sort is stable.
///
/// # Errors
/// As [`mutual_reachability_tree`].
pub fn mutual_reachability_path(x: Points<'_>, min_samples: usize) -> Result<Vec<Edge>, KernelError> {
    check(x, min_samples)?;
    let n = x.len();
    if n == 1 {
        return Ok(Vec::new());
    }
    let (core, lists) = cores(x, min_samples)?;
    let mut edges = spanning_tree(x, &core, &lists);
    // an edge outside the tree ties with one inside when it weighs a core distance: then it ends in that core
    for i in 0..n {
        let (index, squared) = lists.of(i);
        for (&j, &s) in index.iter().zip(squared).take(min_samples - 1) {
            let weight = s.max(core[i]).max(core[j as usize]).sqrt();
            edges.push(Edge { a: i as u32, b: j, weight });
        }
    }
    let mut path = prim(n, &edges);
    path.sort_by(|a, b| a.weight.total_cmp(&b.weight));
    Ok(path)
}

/// The order in which Prim's algorithm reaches the points from point 0: each edge joins two successive points.
fn prim(n: usize, edges: &[Edge]) -> Vec<Edge> {
    let mut starts = vec![0usize; n + 1];
    for e in edges {
        starts[e.a as usize + 1] += 1;
        starts[e.b as usize + 1] += 1;
    }
    for i in 0..n {
        starts[i + 1] += starts[i];
    }
    let mut next = starts.clone();
    let mut adjacent = vec![(0u32, 0u64); 2 * edges.len()];
    for e in edges {
        // weights are not negative: their bits are in their order
        for (from, to) in [(e.a, e.b), (e.b, e.a)] {
            adjacent[next[from as usize]] = (to, e.weight.to_bits());
            next[from as usize] += 1;
        }
    }
    let mut heap = BinaryHeap::new();
    let mut inside = vec![false; n];
    let mut path = Vec::with_capacity(n - 1);
    let mut at = 0u32;
    loop {
        inside[at as usize] = true;
        for &(to, weight) in &adjacent[starts[at as usize]..starts[at as usize + 1]] {
            if !inside[to as usize] {
                heap.push(Reverse((weight, to)));
            }
        }
        while heap.peek().is_some_and(|Reverse((_, to))| inside[*to as usize]) {
            heap.pop();
        }
        let Some(Reverse((weight, to))) = heap.pop() else { return path };
        path.push(Edge { a: at, b: to, weight: f64::from_bits(weight) });
        at = to;
    }
}

/// The shortest known edge of a point to another component.
#[derive(Clone, Copy)]
struct Best {
    to: u32,
    squared: f64,
    /// Whether no shorter one exists.
    sure: bool,
}

const NONE: Best = Best { to: u32::MAX, squared: f64::INFINITY, sure: false };

struct Forest<'a> {
    x: Points<'a>,
    core: &'a [f64],
    lists: &'a Neighbors,
    frame: Frame,
    rows: Option<Rows>,
    /// Component of each point: its lowest point.
    component: Vec<u32>,
    components: usize,
    best: Vec<Best>,
    /// No edge of the point to another component is shorter than this.
    floor: Vec<f64>,
    edges: Vec<Edge>,
}

impl<'a> Forest<'a> {
    fn new(x: Points<'a>, core: &'a [f64], lists: &'a Neighbors) -> Self {
        let n = x.len();
        // outside its list a point has nothing nearer than the last of it
        let floor = (0..n).map(|i| core[i].max(lists.of(i).1[lists.k - 1])).collect();
        Self {
            x,
            core,
            lists,
            frame: Frame::of(x),
            rows: None,
            component: (0..n as u32).collect(),
            components: n,
            best: vec![NONE; n],
            floor,
            edges: Vec::with_capacity(n - 1),
        }
    }

    fn round(&mut self) {
        self.look_in_lists();
        let n = self.x.len();
        let mut sizes = vec![0u32; n];
        let mut shortest = vec![f64::INFINITY; n];
        for (i, &c) in self.component.iter().enumerate() {
            sizes[c as usize] += 1;
            shortest[c as usize] = shortest[c as usize].min(self.best[i].squared);
        }
        // the largest component need not choose: all others choose an edge
        let largest = (1..n).fold(0, |a, b| if sizes[b] > sizes[a] { b } else { a }) as u32;
        let active = (0..n)
            .filter(|&i| {
                let c = self.component[i];
                c != largest && !self.best[i].sure && self.floor[i] < shortest[c as usize]
            })
            .map(|i| i as u32)
            .collect::<Vec<_>>();
        self.search(&active, &shortest);
        let mut chosen = vec![None::<(f64, u32, u32)>; n];
        for i in 0..n {
            let (c, Best { to, squared, .. }) = (self.component[i], self.best[i]);
            if c == largest || to == u32::MAX {
                continue;
            }
            let edge = (squared, to.min(i as u32), to.max(i as u32));
            let slot = &mut chosen[c as usize];
            if slot.is_none_or(|s| edge.0.total_cmp(&s.0).then((edge.1, edge.2).cmp(&(s.1, s.2))).is_lt()) {
                *slot = Some(edge);
            }
        }
        self.join(chosen.into_iter().flatten());
    }

    /// The shortest edge out of each point's component, as far as its list tells.
    fn look_in_lists(&mut self) {
        let (component, core, lists, floor) = (&self.component, self.core, self.lists, &self.floor);
        self.best.par_iter_mut().enumerate().for_each(|(i, best)| {
            let own = component[i];
            if best.to != u32::MAX && best.sure && component[best.to as usize] != own {
                return;
            }
            *best = NONE;
            let (index, squared) = lists.of(i);
            for (&j, &s) in index.iter().zip(squared) {
                let weight = s.max(core[i]).max(core[j as usize]);
                if component[j as usize] != own && weight < best.squared {
                    *best = Best { to: j, squared: weight, sure: false };
                }
            }
            best.sure = best.squared <= floor[i] || lists.k + 1 == component.len();
        });
    }

    /// Searches all points for the active ones.
    fn search(&mut self, active: &[u32], shortest: &[f64]) {
        if active.is_empty() {
            return;
        }
        let (x, d) = (self.x, self.x.dim());
        let frame = &self.frame;
        let rows = self.rows.get_or_insert_with(|| Rows::pack(x.len(), d, |i, out| frame.put(&x.row(i), -2.0, out)));
        let core_scaled = self.core.iter().map(|&c| frame.scaled(c) as f32).collect::<Vec<_>>();
        let context =
            Context { x, core: self.core, core_scaled: &core_scaled, component: &self.component, eps: kernel_error(d) };
        let mut panels = active
            .chunks(LANES)
            .map(|points| {
                let limit = |i: u32| shortest[self.component[i as usize] as usize].min(self.best[i as usize].squared);
                Outside::new(&context, frame, points, limit)
            })
            .collect::<Vec<_>>();
        let put = |i: usize, out: &mut [f32]| {
            frame.put(&x.row(active[i] as usize), 1.0, out);
        };
        sweep(rows, Source::Fresh { n: active.len(), row: &put }, &mut panels);
        for (at, &i) in active.iter().enumerate() {
            let i = i as usize;
            // everything below the limit was seen; without a find the limit itself is the floor
            let limit = shortest[self.component[i] as usize].min(self.best[i].squared);
            match panels[at / LANES].shortest[at % LANES] {
                Some((squared, to)) if squared <= limit => {
                    self.best[i] = Best { to, squared, sure: true };
                    self.floor[i] = squared;
                }
                _ => self.floor[i] = self.floor[i].max(limit),
            }
        }
    }

    /// Joins the components along the chosen edges.
    fn join(&mut self, chosen: impl Iterator<Item = (f64, u32, u32)>) {
        let mut parent = (0..self.x.len() as u32).collect::<Vec<_>>();
        for (weight, a, b) in chosen {
            let (ra, rb) = (self.component[a as usize], self.component[b as usize]);
            let (ra, rb) = (root(&mut parent, ra), root(&mut parent, rb));
            // two components may choose the same edge, or close a ring of equal edges
            if ra != rb {
                parent[ra.max(rb) as usize] = ra.min(rb);
                self.components -= 1;
                self.edges.push(Edge { a, b, weight });
            }
        }
        for c in &mut self.component {
            *c = root(&mut parent, *c);
        }
    }
}

/// The root of a node, with the path to it halved.
fn root(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        parent[i as usize] = parent[parent[i as usize] as usize];
        i = parent[i as usize];
    }
    i
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::squared_distance;
    use hybridrepair_core::Streams;
    use proptest::prelude::*;
    use rand::Rng;

    /// Prim's algorithm, the plain way: the sorted weights of every minimum spanning tree are the same.
    fn prim(x: Points<'_>, min_samples: usize) -> Vec<f64> {
        let n = x.len();
        let dist = |i: usize, j: usize| squared_distance(&x.row(i), &x.row(j));
        let core = (0..n)
            .map(|i| {
                let mut all = (0..n).map(|j| dist(i, j)).collect::<Vec<_>>();
                all.sort_by(f64::total_cmp);
                all[min_samples - 1]
            })
            .collect::<Vec<_>>();
        let (mut near, mut out, mut at) = (vec![f64::INFINITY; n], Vec::new(), 0);
        let mut inside = vec![false; n];
        for _ in 1..n {
            inside[at] = true;
            for j in 0..n {
                near[j] = near[j].min(dist(at, j).max(core[at]).max(core[j]));
            }
            at = (0..n).filter(|&j| !inside[j]).min_by(|&a, &b| near[a].total_cmp(&near[b])).unwrap();
            out.push(near[at].sqrt());
        }
        out.sort_by(f64::total_cmp);
        out
    }

    fn agrees(x: Points<'_>, min_samples: usize) {
        let edges = mutual_reachability_tree(x, min_samples).unwrap();
        assert_eq!(edges.iter().map(|e| e.weight).collect::<Vec<_>>(), prim(x, min_samples));
    }

    #[test]
    fn groups_of_different_density() {
        let mut rng = Streams::new(4).named("t");
        for (n, d, groups) in [(400, 2, 7), (300, 40, 3), (90, 5, 30), (17, 3, 1), (2, 2, 1)] {
            let means = (0..groups * d).map(|_| rng.r#gen::<f32>() * 30.0).collect::<Vec<_>>();
            let data = (0..n * d)
                .map(|e| {
                    let g = (e / d) % groups;
                    means[g * d + e % d] + rng.r#gen::<f32>() * (g + 1) as f32 * 0.3
                })
                .collect::<Vec<_>>();
            for min_samples in [1, 2, 3, 10] {
                if min_samples <= n {
                    agrees(Points::new(&data, d).unwrap(), min_samples);
                }
            }
        }
    }

    #[test]
    fn the_path_is_that_of_plain_prim() {
        let mut rng = Streams::new(9).named("t");
        for min_samples in [1, 2, 3, 6] {
            let data = (0..200 * 3).map(|_| rng.r#gen::<f32>()).collect::<Vec<_>>();
            let x = Points::new(&data, 3).unwrap();
            let n = x.len();
            let dist = |i: usize, j: usize| squared_distance(&x.row(i), &x.row(j));
            let core = |i: usize| {
                let mut all = (0..n).map(|j| dist(i, j)).collect::<Vec<_>>();
                all.sort_by(f64::total_cmp);
                all[min_samples - 1]
            };
            let core = (0..n).map(core).collect::<Vec<_>>();
            let (mut near, mut inside, mut at, mut plain) = (vec![f64::INFINITY; n], vec![false; n], 0, Vec::new());
            for _ in 1..n {
                inside[at] = true;
                for j in 0..n {
                    near[j] = near[j].min(dist(at, j).max(core[at]).max(core[j]));
                }
                let next = (0..n).filter(|&j| !inside[j]).min_by(|&a, &b| near[a].total_cmp(&near[b])).unwrap();
                plain.push(Edge { a: at as u32, b: next as u32, weight: near[next].sqrt() });
                at = next;
            }
            plain.sort_by(|a, b| a.weight.total_cmp(&b.weight));
            assert_eq!(mutual_reachability_path(x, min_samples).unwrap(), plain);
        }
    }

    #[test]
    fn one_point_and_bad_counts() {
        let x = [1.0f32, 2.0, 3.0];
        assert!(mutual_reachability_tree(Points::new(&x, 3).unwrap(), 1).unwrap().is_empty());
        assert!(mutual_reachability_tree(Points::new(&x, 1).unwrap(), 0).is_err());
        assert!(mutual_reachability_tree(Points::new(&x, 1).unwrap(), 4).is_err());
        agrees(Points::new(&[5.5f32; 200], 2).unwrap(), 3);
    }

    proptest! {
        #[test]
        fn grids_full_of_ties(values in prop::collection::vec(0u8..6, 6..300), min_samples in 1usize..5) {
            let data = values.iter().map(|&v| f32::from(v) * 1.1 + 77.0).collect::<Vec<_>>();
            let x = Points::new(&data[..data.len() / 2 * 2], 2).unwrap();
            prop_assume!(min_samples <= x.len());
            agrees(x, min_samples);
        }
    }
}
