use crate::{KernelError, Points, inverse_length};
use hybridrepair_core::{CoreError, Embeddings};
use rayon::prelude::*;

/// Rows of some embeddings in an order of their own, each divided by its length; a row of zeros stays zero.
///
/// They are copied when that takes at most 384 MiB, and otherwise computed from the embeddings whenever they are looked
/// at: the same numbers, 12 bytes of memory per row.
pub struct Units {
    x: Embeddings,
    rows: Vec<u32>,
    inverse: Vec<f64>,
    copy: Option<Vec<f32>>,
}

/// Bytes of a copy at most.
const COPY_BYTES: usize = 384 << 20;

impl Units {
    /// The rows `rows` of `x`.
    ///
    /// # Errors
    /// When there are none, or one is not in `x`.
    pub fn of(x: &Embeddings, rows: Vec<u32>) -> Result<Self, KernelError> {
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= x.len()) {
            return Err(CoreError::Rows { what: "embeddings", got: x.len(), expected: row as usize + 1 }.into());
        }
        let inverse = rows.par_iter().map(|&row| inverse_length(x.row(row as usize))).collect();
        Self::with(x, rows, inverse, COPY_BYTES)
    }

    fn with(x: &Embeddings, rows: Vec<u32>, inverse: Vec<f64>, most: usize) -> Result<Self, KernelError> {
        if rows.is_empty() {
            return Err(CoreError::Empty { what: "rows of unit length", rows: 0, cols: x.dim() }.into());
        }
        let mut out = Self { x: x.clone(), rows, inverse, copy: None };
        if 4 * out.rows.len() * x.dim() <= most {
            let mut copy = vec![0f32; out.rows.len() * x.dim()];
            let points = out.points();
            copy.par_chunks_mut(x.dim()).enumerate().for_each(|(i, row)| row.copy_from_slice(&points.row(i)));
            out.copy = Some(copy);
        }
        Ok(out)
    }

    /// Some of these rows again, by their place in the order.
    ///
    /// # Errors
    /// When `at` is empty.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn subset(&self, at: &[usize]) -> Result<Self, KernelError> {
        let rows = at.iter().map(|&at| self.rows[at]).collect();
        let inverse = at.iter().map(|&at| self.inverse[at]).collect();
        Self::with(&self.x, rows, inverse, COPY_BYTES)
    }

    /// The rows as points.
    pub fn points(&self) -> Points<'_> {
        match &self.copy {
            Some(copy) => Points::trusted(copy, self.x.dim()),
            None => Points::scaled(self.x.as_slice(), self.x.dim(), &self.rows, &self.inverse),
        }
    }

    /// Number of rows, at least 1.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Bytes that `n` such rows of `d` columns take.
    pub fn bytes(n: f64, d: f64) -> f64 {
        let copy = 4.0 * n * d;
        12.0 * n + if copy <= COPY_BYTES as f64 { copy } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KMeansParams, kmeans, knn_graph, nearest, squared_distances_to};
    use hybridrepair_core::Streams;
    use ndarray::Array2;
    use rand::Rng;

    #[test]
    fn rows_that_are_computed_are_those_that_are_copied() {
        let rng = &mut Streams::new(1).named("units");
        let mut data = Array2::from_shape_fn((700, 9), |_| rng.gen_range(-3.0f32..5.0));
        data.row_mut(8).fill(0.0);
        let x = Embeddings::new(data).unwrap();
        let copied = Units::of(&x, (0..700).rev().step_by(2).collect()).unwrap();
        assert!(copied.copy.is_some());
        let computed = Units::with(&x, copied.rows.clone(), copied.inverse.clone(), 0).unwrap();
        assert!(computed.copy.is_none());
        let (a, b) = (copied.points(), computed.points());
        assert_eq!((a.len(), a.dim(), b.len(), b.dim()), (350, 9, 350, 9));
        assert_eq!(a.rows(3..77), b.rows(3..77));
        let length = |i: usize| a.row(i).iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        assert!((0..350).all(|i| (length(i) - 1.0).abs() < 1e-6));
        let zero = Units::of(&x, vec![8, 9]).unwrap();
        assert_eq!(zero.points().row(0).iter().sum::<f32>(), 0.0);

        let seed = || Streams::new(2).named("k");
        let params = KMeansParams::new(40);
        assert_eq!(kmeans(a, &params, &mut seed()).unwrap(), kmeans(b, &params, &mut seed()).unwrap());
        assert_eq!(knn_graph(a, 7).unwrap(), knn_graph(b, 7).unwrap());
        assert_eq!(nearest(a, b).unwrap().index, (0..350).collect::<Vec<u32>>());
        let to_last = |x: Points<'_>| {
            let mut out = vec![0.0; 350];
            squared_distances_to(x, &x.row(349), &mut out).unwrap();
            out
        };
        assert_eq!(to_last(a), to_last(b));
        let some = computed.subset(&[5, 0, 5]).unwrap();
        assert_eq!(some.points().row(0), a.row(5));
        assert_eq!(some.points().row(1), a.row(0));
        assert_eq!(some.len(), 3);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let x = Embeddings::new(Array2::ones((3, 2))).unwrap();
        assert!(Units::of(&x, Vec::new()).is_err());
        assert!(Units::of(&x, vec![0, 3]).is_err());
    }
}
