use crate::CoreError;
use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;
use std::{fmt, sync::Arc};

/// Rows held elsewhere, such as a memory-mapped file.
pub type SharedRows = Arc<dyn AsRef<[f32]> + Send + Sync>;

/// Finite `n x d` feature rows, owned or shared (memory-mapped), in C order.
#[derive(Clone)]
pub struct Embeddings {
    rows: Rows,
    n: usize,
    d: usize,
}

#[derive(Clone)]
enum Rows {
    Owned(Arc<Vec<f32>>),
    Shared(SharedRows),
}

impl Embeddings {
    /// Takes an array of shape `n x d`.
    ///
    /// # Errors
    /// When it has no row or no column, or holds NaN or infinity.
    pub fn new(array: Array2<f32>) -> Result<Self, CoreError> {
        let (n, d) = array.dim();
        let data = row_major(array).into_raw_vec_and_offset().0;
        Self::checked(Rows::Owned(Arc::new(data)), n, d)
    }

    /// Takes shared rows of shape `n x d`, in C order, without copying them.
    ///
    /// # Errors
    /// As [`Embeddings::new`], and when the slice does not hold `n * d` numbers.
    pub fn from_shared(rows: SharedRows, n: usize, d: usize) -> Result<Self, CoreError> {
        let got = (*rows).as_ref().len();
        if n.checked_mul(d) != Some(got) {
            return Err(CoreError::Rows { what: "embeddings", got: got / d.max(1), expected: n });
        }
        Self::checked(Rows::Shared(rows), n, d)
    }

    fn checked(rows: Rows, n: usize, d: usize) -> Result<Self, CoreError> {
        if n == 0 || d == 0 {
            return Err(CoreError::Empty { what: "embeddings", rows: n, cols: d });
        }
        let out = Self { rows, n, d };
        first_not_finite("embeddings", out.as_slice(), d)?;
        Ok(out)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Never true: an embedding has at least one row.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Number of columns.
    pub fn dim(&self) -> usize {
        self.d
    }

    /// All rows, one after the other.
    pub fn as_slice(&self) -> &[f32] {
        match &self.rows {
            Rows::Owned(v) => v,
            Rows::Shared(s) => (**s).as_ref(),
        }
    }

    /// The `n x d` array.
    pub fn view(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.n, self.d), self.as_slice()).expect("the shape was checked")
    }

    /// One row of `d` numbers.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.as_slice()[i * self.d..(i + 1) * self.d]
    }

    /// One row as an array.
    pub fn row_view(&self, i: usize) -> ArrayView1<'_, f32> {
        ArrayView1::from(self.row(i))
    }

    /// The chosen rows, in the given order.
    ///
    /// # Errors
    /// When no row is chosen.
    pub fn select(&self, rows: &[usize]) -> Result<Self, CoreError> {
        let data = rows.iter().flat_map(|&i| self.row(i).iter().copied()).collect::<Vec<_>>();
        if rows.is_empty() {
            return Err(CoreError::Empty { what: "embeddings", rows: 0, cols: self.d });
        }
        Ok(Self { rows: Rows::Owned(Arc::new(data)), n: rows.len(), d: self.d })
    }

    /// Every row divided by its Euclidean norm; a zero row stays zero.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let mut data = self.as_slice().to_vec();
        data.par_chunks_mut(self.d).for_each(|row| {
            let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
            if norm > 0.0 {
                for x in row {
                    *x = (f64::from(*x) / norm) as f32;
                }
            }
        });
        Self { rows: Rows::Owned(Arc::new(data)), n: self.n, d: self.d }
    }
}

impl fmt::Debug for Embeddings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embeddings({} x {})", self.n, self.d)
    }
}

/// The same array in C order with nothing before or after it in its memory; without a copy where it is so already.
pub(crate) fn row_major(array: Array2<f32>) -> Array2<f32> {
    if array.is_standard_layout() {
        let dim = array.raw_dim();
        let n = array.len();
        let (data, offset) = array.into_raw_vec_and_offset();
        // a sliced array keeps its whole memory
        let data = if data.len() == n { data } else { data[offset.unwrap_or(0)..][..n].to_vec() };
        Array2::from_shape_vec(dim, data).expect("as many numbers as before")
    } else {
        array.as_standard_layout().into_owned()
    }
}

/// The first NaN or infinity of an array of rows of `cols` numbers, as an error.
pub(crate) fn first_not_finite(what: &'static str, data: &[f32], cols: usize) -> Result<(), CoreError> {
    match data.par_iter().position_first(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(CoreError::NotFinite { what, row: at / cols, col: at % cols, value: data[at] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_first_bad_value_is_named() {
        let error = Embeddings::new(array![[0.0, 1.0], [2.0, f32::NAN]]).unwrap_err();
        assert!(error.to_string().contains("row 1, column 1"), "{error}");
        assert!(Embeddings::new(Array2::zeros((0, 3))).is_err());
        assert!(Embeddings::new(Array2::zeros((3, 0))).is_err());
    }

    #[test]
    fn a_slice_that_owns_more_than_it_shows_is_read_right() {
        let mut array = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        array.slice_collapse(ndarray::s![1..2, ..]);
        assert_eq!(Embeddings::new(array).unwrap().as_slice(), [3.0, 4.0]);
    }

    #[test]
    fn fortran_order_is_read_in_row_order() {
        let e = Embeddings::new(array![[1.0, 2.0], [3.0, 4.0]].reversed_axes()).unwrap();
        assert_eq!(e.row(0), [1.0, 3.0]);
    }

    #[test]
    fn shared_rows_are_not_copied_and_norms_are_one() {
        let rows: SharedRows = Arc::new(vec![3.0, 4.0, 0.0, 0.0]);
        let e = Embeddings::from_shared(rows, 2, 2).unwrap().normalized();
        assert_eq!(e.row(0), [0.6, 0.8]);
        assert_eq!(e.row(1), [0.0, 0.0]);
        assert!(Embeddings::from_shared(Arc::new(vec![1.0]), 2, 2).is_err());
    }
}
