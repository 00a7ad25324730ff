use crate::{
    ClassId, CoreError,
    embeddings::{first_not_finite, row_major},
};
use ndarray::{Array2, ArrayView1, ArrayView2};

/// Class probabilities, `n x C`: each row is non-negative and sums to 1 within 1e-3.
#[derive(Clone, Debug)]
pub struct Probs(Array2<f32>);

impl Probs {
    /// Takes probabilities of shape `n x C`.
    ///
    /// # Errors
    /// When empty, not finite, negative, or a row does not sum to 1.
    pub fn new(array: Array2<f32>) -> Result<Self, CoreError> {
        let array = checked(array, "probabilities")?;
        for (row, p) in array.outer_iter().enumerate() {
            let sum = p.iter().map(|&x| f64::from(x)).sum::<f64>();
            if (sum - 1.0).abs() > 1e-3 || p.iter().any(|&x| x < 0.0) {
                return Err(CoreError::NotAProbability { row, sum });
            }
        }
        Ok(Self(array))
    }

    /// Softmax of logits of shape `n x C`, computed in f64.
    ///
    /// # Errors
    /// When empty or not finite.
    pub fn from_logits(logits: &Array2<f32>) -> Result<Self, CoreError> {
        let mut array = checked(logits.clone(), "logits")?;
        for mut row in array.outer_iter_mut() {
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum = row.iter().map(|&z| f64::from(z - max).exp()).sum::<f64>();
            row.mapv_inplace(|z| (f64::from(z - max).exp() / sum) as f32);
        }
        Ok(Self(array))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.0.nrows()
    }

    /// Never true: there is at least one row.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Number of classes `C`.
    pub fn classes(&self) -> usize {
        self.0.ncols()
    }

    /// The `n x C` array.
    pub fn view(&self) -> ArrayView2<'_, f32> {
        self.0.view()
    }

    /// The distribution of one sample.
    pub fn row(&self, i: usize) -> ArrayView1<'_, f32> {
        self.0.row(i)
    }

    /// The most probable class of one sample, the first on ties.
    pub fn top1(&self, i: usize) -> ClassId {
        ClassId::from(argmax(self.row(i)))
    }

    /// Most probable and second most probable class with their probabilities; with one class both are the same.
    pub fn top2(&self, i: usize) -> [(ClassId, f32); 2] {
        let p = self.row(i);
        let first = argmax(p);
        let second =
            (0..p.len()).filter(|&c| c != first).reduce(|a, b| if p[b] > p[a] { b } else { a }).unwrap_or(first);
        [(ClassId::from(first), p[first]), (ClassId::from(second), p[second])]
    }

    /// Shannon entropy of one sample in bits, with `0 log 0 = 0`.
    pub fn entropy(&self, i: usize) -> f64 {
        entropy_bits(self.row(i))
    }

    /// Gini impurity `1 - sum_c p_c^2` of one sample (`DeepGini`, Feng et al. 2020, eq. 1).
    pub fn gini(&self, i: usize) -> f64 {
        1.0 - self.row(i).iter().map(|&p| f64::from(p) * f64::from(p)).sum::<f64>()
    }
}

/// Shannon entropy in bits of one distribution, with `0 log 0 = 0`.
pub(crate) fn entropy_bits(p: ArrayView1<'_, f32>) -> f64 {
    p.iter().map(|&p| f64::from(p)).filter(|&p| p > 0.0).map(|p| -p * p.log2()).sum()
}

fn argmax(p: ArrayView1<'_, f32>) -> usize {
    (1..p.len()).fold(0, |best, c| if p[c] > p[best] { c } else { best })
}

fn checked(array: Array2<f32>, what: &'static str) -> Result<Array2<f32>, CoreError> {
    let (rows, cols) = array.dim();
    if rows == 0 || cols == 0 {
        return Err(CoreError::Empty { what, rows, cols });
    }
    let array = row_major(array);
    first_not_finite(what, array.as_slice().expect("standard layout"), cols)?;
    Ok(array)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn softmax_survives_large_logits_and_ignores_a_constant() {
        let a = Probs::from_logits(&array![[1000.0, 999.0], [0.0, -1.0]]).unwrap();
        assert_eq!(a.row(0), a.row(1));
        assert!((a.row(0)[0] - 0.731_058_6).abs() < 1e-6);
    }

    #[test]
    fn entropy_of_a_certain_answer_is_zero_and_not_nan() {
        let p = Probs::new(array![[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]).unwrap();
        assert_eq!(p.entropy(0), 0.0);
        assert_eq!(p.entropy(1), 2.0);
        assert_eq!(p.gini(1), 0.75);
    }

    #[test]
    fn ties_go_to_the_first_class_and_one_class_is_its_own_runner_up() {
        let p = Probs::new(array![[0.4, 0.2, 0.4]]).unwrap();
        assert_eq!(p.top2(0).map(|(c, _)| c.0), [0, 2]);
        let one = Probs::new(array![[1.0]]).unwrap();
        assert_eq!(one.top2(0).map(|(c, _)| c.0), [0, 0]);
    }

    #[test]
    fn rows_that_are_no_distribution_are_refused() {
        assert!(matches!(Probs::new(array![[0.5, 0.6]]), Err(CoreError::NotAProbability { row: 0, .. })));
        assert!(matches!(Probs::new(array![[1.5, -0.5]]), Err(CoreError::NotAProbability { .. })));
        assert!(matches!(Probs::from_logits(&array![[f32::NAN, 0.0]]), Err(CoreError::NotFinite { .. })));
    }
}
