//! From a spanning tree to flat clusters: hierarchy, condensed tree, excess of mass (Campello et al. 2013, sections 3
//! and 5; details as the Python package `hdbscan` 0.8.27 has them).

use hybridrepair_kernels::Edge;

/// A node of the single-linkage hierarchy: all that joins at one distance. Points are nodes `0..n`, joins follow by
/// distance.
struct Join {
    /// Two or more nodes.
    children: Vec<usize>,
    distance: f64,
    size: usize,
}

/// The cluster of each of `n` points, `None` for noise, numbered `0..k` from the top of the tree down.
///
/// `edges` are the `n - 1` edges of a minimum spanning tree by ascending weight.
pub(crate) fn excess_of_mass(n: usize, edges: &[Edge], min_cluster_size: usize, ties: Ties) -> Vec<Option<u32>> {
    let joins = hierarchy(n, edges, ties);
    let tree = Condensed::of(n, &joins, min_cluster_size);
    tree.labels(n, &tree.select())
}

/// Which edges act at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// One by one, in the order of Prim's path from the first sample: what the Python package `hdbscan` gives when its
    /// sort is stable. (numpy's default sort is not, so that its labels can differ from machine to machine.)
    #[default]
    InOrder,
    /// All edges of equal weight together, as in the paper's algorithm: independent of the order of the samples.
    ///
    /// Mutual reachability is full of ties, because several edges weigh one sample's core distance.
    Together,
}

fn hierarchy(n: usize, edges: &[Edge], ties: Ties) -> Vec<Join> {
    let mut parent = (0..n).collect::<Vec<_>>();
    // the node that each root stands for
    let mut node = (0..n).collect::<Vec<_>>();
    let mut joins: Vec<Join> = Vec::with_capacity(edges.len());
    let root = |parent: &mut Vec<usize>, mut i: usize| {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    };
    for tied in edges.chunk_by(|a, b| ties == Ties::Together && a.weight == b.weight) {
        let mut before = Vec::with_capacity(2 * tied.len());
        for edge in tied {
            before.extend([edge.a, edge.b].map(|i| root(&mut parent, i as usize)));
        }
        before.sort_unstable();
        before.dedup();
        for edge in tied {
            let (a, b) = (root(&mut parent, edge.a as usize), root(&mut parent, edge.b as usize));
            parent[a.max(b)] = a.min(b);
        }
        let mut grouped = before.iter().map(|&r| (root(&mut parent, r), node[r])).collect::<Vec<_>>();
        grouped.sort_unstable();
        for group in grouped.chunk_by(|a, b| a.0 == b.0) {
            let children = group.iter().map(|g| g.1).collect::<Vec<_>>();
            let size = children.iter().map(|&c| if c < n { 1 } else { joins[c - n].size }).sum();
            node[group[0].0] = n + joins.len();
            joins.push(Join { children, distance: tied[0].weight, size });
        }
    }
    joins
}

/// The condensed tree: clusters of at least `min_cluster_size` points that split or lose points as the density rises.
struct Condensed {
    /// Parent of each cluster; the root 0 is its own.
    parent: Vec<usize>,
    /// Density `1 / distance` at which each cluster appears, and its stability.
    birth: Vec<f64>,
    stability: Vec<f64>,
    /// The cluster that each point leaves.
    left: Vec<usize>,
}

impl Condensed {
    fn of(n: usize, joins: &[Join], min_cluster_size: usize) -> Self {
        let mut tree = Self { parent: vec![0], birth: vec![0.0], stability: vec![0.0], left: vec![0; n] };
        let size = |i: usize| if i < n { 1 } else { joins[i - n].size };
        // from the root down; clusters are numbered in the order in which they are met, level by level
        let mut queue = std::collections::VecDeque::new();
        if !joins.is_empty() {
            queue.push_back((n + joins.len() - 1, 0));
        }
        let mut stack = Vec::new();
        while let Some((node, cluster)) = queue.pop_front() {
            let join = &joins[node - n];
            let lambda = if join.distance > 0.0 { 1.0 / join.distance } else { f64::INFINITY };
            let splits = join.children.iter().filter(|&&c| size(c) >= min_cluster_size).count() > 1;
            for &child in &join.children {
                let is_big = size(child) >= min_cluster_size;
                if is_big && splits {
                    tree.leave(cluster, lambda, size(child));
                    tree.parent.push(cluster);
                    tree.birth.push(lambda);
                    tree.stability.push(0.0);
                    queue.push_back((child, tree.parent.len() - 1));
                } else if is_big {
                    queue.push_back((child, cluster));
                } else {
                    // all its points leave at this density
                    stack.push(child);
                    while let Some(i) = stack.pop() {
                        if i < n {
                            tree.left[i] = cluster;
                            tree.leave(cluster, lambda, 1);
                        } else {
                            stack.extend(&joins[i - n].children);
                        }
                    }
                }
            }
        }
        tree
    }

    /// Some points leave a cluster (alone or as a new cluster) at a density.
    fn leave(&mut self, cluster: usize, lambda: f64, points: usize) {
        let birth = self.birth[cluster];
        // duplicates: a cluster born at infinite density lives for no time, not for inf - inf
        if lambda > birth {
            self.stability[cluster] += (lambda - birth) * points as f64;
        }
    }

    /// Which clusters are flat clusters: bottom-up, a cluster gives way to children that are stabler together.
    fn select(&self) -> Vec<bool> {
        let k = self.parent.len();
        let mut selected = vec![false; k];
        let mut below = vec![0.0f64; k];
        let mut has_child = vec![false; k];
        for c in (1..k).rev() {
            // children have higher numbers than their parent: `below[c]` is complete
            selected[c] = !has_child[c] || below[c] <= self.stability[c];
            below[self.parent[c]] += if selected[c] { self.stability[c] } else { below[c] };
            has_child[self.parent[c]] = true;
        }
        // a selected cluster hides those below it
        let mut hidden = vec![false; k];
        for c in 1..k {
            let parent = self.parent[c];
            hidden[c] = hidden[parent] || selected[parent];
            selected[c] &= !hidden[c];
        }
        selected
    }

    fn labels(&self, n: usize, selected: &[bool]) -> Vec<Option<u32>> {
        let mut number = vec![None; selected.len()];
        let mut next = 0;
        for c in 1..selected.len() {
            if selected[c] {
                number[c] = Some(next);
                next += 1;
            } else {
                number[c] = number[self.parent[c]];
            }
        }
        (0..n).map(|i| number[self.left[i]]).collect()
    }
}
