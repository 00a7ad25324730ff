use crate::KernelError;
use hybridrepair_core::{CoreError, Embeddings};
use rayon::prelude::*;
use std::{borrow::Cow, ops::Range};

/// Borrowed finite rows of shape `n x d` in C order; some of the rows of such an array, in an order of their own
/// ([`Points::of_rows`]); or rows that are scaled when they are looked at ([`Units`](crate::Units)).
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    data: &'a [f32],
    n: usize,
    d: usize,
    chosen: Option<Chosen<'a>>,
}

/// Which rows of the data, and what each is multiplied by; by nothing without.
#[derive(Clone, Copy, Debug)]
struct Chosen<'a> {
    rows: &'a [u32],
    factors: Option<&'a [f64]>,
}

impl<'a> Points<'a> {
    /// Rows of `d` numbers each.
    ///
    /// # Errors
    /// When empty, not a whole number of rows, too many, or not finite.
    pub fn new(data: &'a [f32], d: usize) -> Result<Self, KernelError> {
        let n = data.len() / d.max(1);
        if n == 0 || d == 0 || n * d != data.len() {
            return Err(CoreError::Empty { what: "points", rows: n, cols: d }.into());
        }
        if u32::try_from(n).is_err() {
            return Err(KernelError::TooManyRows(n));
        }
        if let Some(at) = data.iter().position(|x| !x.is_finite()) {
            return Err(CoreError::NotFinite { what: "points", row: at / d, col: at % d, value: data[at] }.into());
        }
        Ok(Self { data, n, d, chosen: None })
    }

    /// Rows that are known to be finite and not empty.
    pub(crate) fn trusted(data: &'a [f32], d: usize) -> Self {
        Self { data, n: data.len() / d, d, chosen: None }
    }

    /// Some rows of `data`, each multiplied by a factor that keeps it finite.
    pub(crate) fn scaled(data: &'a [f32], d: usize, rows: &'a [u32], factors: &'a [f64]) -> Self {
        Self { data, n: rows.len(), d, chosen: Some(Chosen { rows, factors: Some(factors) }) }
    }

    /// The rows `rows` of `x`, in this order, without a copy.
    ///
    /// # Errors
    /// When there are none or too many, or one is not in `x`.
    pub fn of_rows(x: &'a Embeddings, rows: &'a [u32]) -> Result<Self, KernelError> {
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= x.len()) {
            return Err(CoreError::Rows { what: "points", got: x.len(), expected: row as usize + 1 }.into());
        }
        if rows.is_empty() {
            return Err(CoreError::Empty { what: "points", rows: 0, cols: x.dim() }.into());
        }
        if u32::try_from(rows.len()).is_err() {
            return Err(KernelError::TooManyRows(rows.len()));
        }
        Ok(Self { data: x.as_slice(), n: rows.len(), d: x.dim(), chosen: Some(Chosen { rows, factors: None }) })
    }

    /// Number of rows, at least 1.
    pub fn len(self) -> usize {
        self.n
    }

    /// Never true.
    pub fn is_empty(self) -> bool {
        false
    }

    /// Number of columns.
    pub fn dim(self) -> usize {
        self.d
    }

    /// One row.
    #[inline]
    pub fn row(self, i: usize) -> Cow<'a, [f32]> {
        self.rows(i..i + 1)
    }

    /// Some rows, one after the other.
    #[inline]
    pub fn rows(self, range: Range<usize>) -> Cow<'a, [f32]> {
        let Some(chosen) = self.chosen else {
            return Cow::Borrowed(&self.data[range.start * self.d..range.end * self.d]);
        };
        let row = |i: usize| &self.data[chosen.rows[i] as usize * self.d..][..self.d];
        let Some(factors) = chosen.factors else {
            if range.len() == 1 {
                return Cow::Borrowed(row(range.start));
            }
            return Cow::Owned(range.flat_map(row).copied().collect());
        };
        let mut out = Vec::with_capacity(range.len() * self.d);
        for i in range {
            out.extend(row(i).iter().map(|&v| (f64::from(v) * factors[i]) as f32));
        }
        Cow::Owned(out)
    }

    /// Blocks of so many rows, in parallel.
    pub(crate) fn par_blocks(self, rows: usize) -> impl IndexedParallelIterator<Item = Cow<'a, [f32]>> {
        (0..self.n.div_ceil(rows)).into_par_iter().map(move |b| self.rows(b * rows..self.n.min((b + 1) * rows)))
    }

    /// Fails when two sets differ in dimension.
    pub(crate) fn same_dim(self, other: Self, what: &'static str) -> Result<(), KernelError> {
        if self.d == other.d { Ok(()) } else { Err(KernelError::Dimension { what, got: other.d, expected: self.d }) }
    }
}

impl<'a> From<&'a Embeddings> for Points<'a> {
    fn from(x: &'a Embeddings) -> Self {
        Self { data: x.as_slice(), n: x.len(), d: x.dim(), chosen: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn chosen_rows_come_in_their_order() {
        let x = Embeddings::new(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
        let points = Points::of_rows(&x, &[2, 0, 2]).unwrap();
        assert_eq!((points.len(), points.dim()), (3, 2));
        assert_eq!(*points.row(1), [1.0, 2.0]);
        assert_eq!(*points.rows(0..2), [5.0, 6.0, 1.0, 2.0]);
        assert!(points.rows(1..1).is_empty());
        assert!(Points::of_rows(&x, &[]).is_err() && Points::of_rows(&x, &[3]).is_err());
    }
}
