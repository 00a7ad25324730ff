//! Rows of an array in the order in which a strategy looks at them.

use hybridrepair_core::{CoreError, Embeddings, PoolIdx};
use hybridrepair_kernels::inverse_length;
use ndarray::Array2;
use rayon::prelude::*;

/// These rows, in this order, each divided by its length; a zero row stays zero. One copy.
pub(crate) fn units(x: &Embeddings, rows: &[PoolIdx]) -> Result<Embeddings, CoreError> {
    let d = x.dim();
    let mut data = vec![0f32; rows.len() * d];
    data.par_chunks_mut(d).zip(rows).for_each(|(out, idx)| {
        let row = x.row(idx.row());
        let inverse = inverse_length(row);
        out.iter_mut().zip(row).for_each(|(o, &v)| *o = (f64::from(v) * inverse) as f32);
    });
    let empty = CoreError::Empty { what: "embeddings", rows: rows.len(), cols: d };
    Embeddings::new(Array2::from_shape_vec((rows.len(), d), data).map_err(|_| empty)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rows_are_made_units() {
        let x = Embeddings::new(array![[3.0, 4.0], [0.0, 0.0], [f32::MAX, 0.0]]).unwrap();
        let units = units(&x, &[PoolIdx(2), PoolIdx(1), PoolIdx(0)]).unwrap();
        assert_eq!(units.as_slice(), [1.0, 0.0, 0.0, 0.0, 0.6, 0.8]);
    }
}
