use crate::KernelError;
use hybridrepair_core::{CoreError, Embeddings};

/// Borrowed finite rows of shape `n x d` in C order.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    data: &'a [f32],
    n: usize,
    d: usize,
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
        Ok(Self { data, n, d })
    }

    /// Rows that are known to be finite and not empty.
    pub(crate) fn trusted(data: &'a [f32], d: usize) -> Self {
        Self { data, n: data.len() / d, d }
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

    /// All numbers.
    pub fn as_slice(self) -> &'a [f32] {
        self.data
    }

    /// One row.
    pub fn row(self, i: usize) -> &'a [f32] {
        &self.data[i * self.d..(i + 1) * self.d]
    }

    /// Fails when two sets differ in dimension.
    pub(crate) fn same_dim(self, other: Self, what: &'static str) -> Result<(), KernelError> {
        if self.d == other.d { Ok(()) } else { Err(KernelError::Dimension { what, got: other.d, expected: self.d }) }
    }
}

impl<'a> From<&'a Embeddings> for Points<'a> {
    fn from(x: &'a Embeddings) -> Self {
        Self { data: x.as_slice(), n: x.len(), d: x.dim() }
    }
}
