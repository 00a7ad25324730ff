//! Singular values of a weight, without vectors.

use crate::TuneError;
use linfa_linalg::eigh::EigValshInto;
use ndarray::ArrayView2;

/// Singular values of a `rows x cols` matrix in row-major order, in falling order; `min(rows, cols)` of them.
///
/// They are the roots of the eigenvalues of the smaller Gram matrix. That loses digits below `1e-8` of the largest value, where
/// weights of 32 bits have none.
///
/// # Errors
/// When a number is not finite, or the iteration does not end.
pub(crate) fn singular_values(values: &[f64], rows: usize, cols: usize) -> Result<Vec<f64>, TuneError> {
    let failed = |why: String| TuneError::Probe(format!("the singular values of a {rows} x {cols} weight: {why}"));
    if values.is_empty() {
        return Ok(Vec::new());
    }
    if values.iter().any(|v| !v.is_finite()) {
        return Err(failed("a number is not finite".to_owned()));
    }
    let matrix = ArrayView2::from_shape((rows, cols), values).map_err(|e| failed(e.to_string()))?;
    let gram = if rows <= cols { matrix.dot(&matrix.t()) } else { matrix.t().dot(&matrix) };
    let squares = gram.eigvalsh_into().map_err(|e| failed(e.to_string()))?;
    let mut found = squares.iter().map(|l| l.max(0.0).sqrt()).collect::<Vec<_>>();
    found.sort_by(|a, b| b.total_cmp(a));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::singular_values;

    #[test]
    fn by_hand() {
        // diag(3, 4) with a zero column, and its transpose
        let wide = singular_values(&[3.0, 0.0, 0.0, 0.0, 4.0, 0.0], 2, 3).unwrap();
        let tall = singular_values(&[3.0, 0.0, 0.0, 4.0, 0.0, 0.0], 3, 2).unwrap();
        for found in [wide, tall] {
            assert_eq!(found.len(), 2);
            assert!((found[0] - 4.0).abs() < 1e-12 && (found[1] - 3.0).abs() < 1e-12);
        }
        assert!(singular_values(&[], 0, 0).unwrap().is_empty());
        assert!(singular_values(&[f64::NAN, 1.0], 1, 2).unwrap_err().to_string().contains("1 x 2"));
    }
}
