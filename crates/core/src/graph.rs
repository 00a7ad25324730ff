use crate::CoreError;

/// Exact k nearest neighbours of each row, nearest first, the row itself left out.
#[derive(Clone, Debug, PartialEq)]
pub struct KnnGraph {
    n: usize,
    k: usize,
    neighbors: Vec<u32>,
    distances: Vec<f32>,
}

impl KnnGraph {
    /// From `n * k` neighbours and their Euclidean distances, row by row.
    ///
    /// # Errors
    /// When the lengths do not match, a neighbour lies outside, or a distance is not finite.
    pub fn new(n: usize, k: usize, neighbors: Vec<u32>, distances: Vec<f32>) -> Result<Self, CoreError> {
        for got in [neighbors.len(), distances.len()] {
            if got != n * k {
                return Err(CoreError::Rows { what: "neighbour graph", got, expected: n * k });
            }
        }
        if let Some(&bad) = neighbors.iter().find(|&&j| j as usize >= n) {
            return Err(CoreError::OutsidePool { idx: crate::PoolIdx(bad), len: n });
        }
        crate::embeddings::first_not_finite("neighbour distances", &distances, k.max(1))?;
        Ok(Self { n, k, neighbors, distances })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Neighbours per row.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The neighbours of a row, nearest first.
    pub fn neighbors(&self, row: usize) -> &[u32] {
        &self.neighbors[row * self.k..(row + 1) * self.k]
    }

    /// Their Euclidean distances.
    pub fn distances(&self, row: usize) -> &[f32] {
        &self.distances[row * self.k..(row + 1) * self.k]
    }
}
