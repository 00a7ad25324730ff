use crate::KernelError;
use hybridrepair_core::{CoreError, Embeddings};
use rayon::prelude::*;
use std::{borrow::Cow, ops::Range};

/// Borrowed finite rows of shape `n x d` in C order, or rows that are scaled when they are looked at
/// ([`Units`](crate::Units)).
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    data: &'a [f32],
    n: usize,
    d: usize,
    scaled: Option<Scaled<'a>>,
}

/// Which rows of the data, and what each is multiplied by.
#[derive(Clone, Copy, Debug)]
struct Scaled<'a> {
    rows: &'a [u32],
    factors: &'a [f64],
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
        Ok(Self { data, n, d, scaled: None })
    }

    /// Rows that are known to be finite and not empty.
    pub(crate) fn trusted(data: &'a [f32], d: usize) -> Self {
        Self { data, n: data.len() / d, d, scaled: None }
    }

    /// Some rows of `data`, each multiplied by a factor that keeps it finite.
    pub(crate) fn scaled(data: &'a [f32], d: usize, rows: &'a [u32], factors: &'a [f64]) -> Self {
        Self { data, n: rows.len(), d, scaled: Some(Scaled { rows, factors }) }
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
        let Some(scaled) = self.scaled else {
            return Cow::Borrowed(&self.data[range.start * self.d..range.end * self.d]);
        };
        let mut out = Vec::with_capacity(range.len() * self.d);
        for i in range {
            let row = scaled.rows[i] as usize * self.d;
            out.extend(self.data[row..row + self.d].iter().map(|&v| (f64::from(v) * scaled.factors[i]) as f32));
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
        Self { data: x.as_slice(), n: x.len(), d: x.dim(), scaled: None }
    }
}
