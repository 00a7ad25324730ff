use rand::Rng;

/// Weights that change one at a time and are drawn from in proportion, both in `O(log n)`.
///
/// Inner nodes are sums of their children, recomputed on every change: nothing drifts.
pub(crate) struct SumTree {
    leaves: usize,
    nodes: Vec<f64>,
}

impl SumTree {
    /// From finite weights that are not negative.
    pub(crate) fn new(weights: &[f64]) -> Self {
        let leaves = weights.len().next_power_of_two();
        let mut nodes = vec![0.0; 2 * leaves];
        nodes[leaves..leaves + weights.len()].copy_from_slice(weights);
        for i in (1..leaves).rev() {
            nodes[i] = nodes[2 * i] + nodes[2 * i + 1];
        }
        Self { leaves, nodes }
    }

    /// Sum of all weights.
    pub(crate) fn total(&self) -> f64 {
        self.nodes[1]
    }

    /// One weight.
    pub(crate) fn get(&self, i: usize) -> f64 {
        self.nodes[self.leaves + i]
    }

    /// Changes one weight.
    pub(crate) fn set(&mut self, i: usize, weight: f64) {
        let mut node = self.leaves + i;
        self.nodes[node] = weight;
        while node > 1 {
            node /= 2;
            self.nodes[node] = self.nodes[2 * node] + self.nodes[2 * node + 1];
        }
    }

    /// Draws an index with probability proportional to its weight; `None` when all weights are zero.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> Option<usize> {
        if self.total() <= 0.0 {
            return None;
        }
        let mut left = rng.r#gen::<f64>() * self.total();
        let mut node = 1;
        while node < self.leaves {
            node *= 2;
            // rounding may leave a rest beyond the last weight: never walk into an empty half
            if left >= self.nodes[node] && self.nodes[node + 1] > 0.0 {
                left -= self.nodes[node];
                node += 1;
            }
        }
        Some(node - self.leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;

    #[test]
    fn draws_follow_the_weights_and_never_meet_a_zero() {
        let mut tree = SumTree::new(&[1.0, 0.0, 3.0, 5.0, 0.0]);
        tree.set(3, 6.0);
        let mut rng = Streams::new(0).named("tree");
        let mut seen = [0u32; 5];
        for _ in 0..10_000 {
            seen[tree.draw(&mut rng).unwrap()] += 1;
        }
        assert_eq!((seen[1], seen[4]), (0, 0));
        for (got, want) in seen.iter().zip([1000.0, 0.0, 3000.0, 6000.0, 0.0]) {
            assert!((f64::from(*got) - want).abs() < 200.0, "{seen:?}");
        }
        for i in [0, 2, 3] {
            tree.set(i, 0.0);
        }
        assert_eq!(tree.draw(&mut rng), None);
    }
}
