use crate::{CoreError, Probs, probs::entropy_bits};
use ndarray::{Array1, Array3, Axis};

/// What a model says to several augmented views of each sample (test-time augmentation).
#[derive(Clone, Debug)]
pub struct Views {
    /// Probabilities averaged over the views, `n x C`.
    pub mean_probs: Probs,
    /// Entropy of `mean_probs` in bits, length `n`.
    pub entropy: Array1<f32>,
    /// Unbiased variance of the probabilities over the views, summed over the classes, length `n`.
    pub variance: Array1<f32>,
}

impl Views {
    /// Summary of the probabilities of all views, shape `views x n x C`.
    ///
    /// # Errors
    /// When empty, or when a mean is no distribution.
    pub fn from_probs(views: &Array3<f32>) -> Result<Self, CoreError> {
        let (k, n, c) = views.dim();
        if k == 0 || n == 0 || c == 0 {
            return Err(CoreError::Empty { what: "views", rows: n, cols: c });
        }
        let wide = views.mapv(f64::from);
        let mean = wide.mean_axis(Axis(0)).expect("at least one view");
        let variance = if k > 1 { wide.var_axis(Axis(0), 1.0).sum_axis(Axis(1)) } else { Array1::zeros(n) };
        Self::from_moments(mean.mapv(|p| p as f32), variance.mapv(|v| v as f32))
    }

    /// From the mean (`n x C`) and the summed variance (`n`) of the probabilities over the views.
    ///
    /// # Errors
    /// When the rows do not match, or a mean is no distribution.
    pub fn from_moments(mean: ndarray::Array2<f32>, variance: Array1<f32>) -> Result<Self, CoreError> {
        let mean_probs = Probs::new(mean)?;
        if variance.len() != mean_probs.len() {
            return Err(CoreError::Rows { what: "view variance", got: variance.len(), expected: mean_probs.len() });
        }
        let entropy = mean_probs.view().outer_iter().map(|p| entropy_bits(p) as f32).collect();
        Ok(Self { mean_probs, entropy, variance })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.entropy.len()
    }

    /// Never true: there is at least one sample.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Unsmoothness `u_i = H_i / max_j H_j` in [0, 1] (`HybridRepair`, section 3.2); all zero when every entropy is.
    pub fn unsmoothness(&self) -> Array1<f32> {
        let max = self.entropy.iter().copied().fold(0.0f32, f32::max);
        if max > 0.0 { self.entropy.mapv(|h| h / max) } else { Array1::zeros(self.entropy.len()) }
    }

    /// Entropy as a share of its ceiling `log2 C`: comparable between models and epochs, unlike [`Views::unsmoothness`].
    pub fn relative_entropy(&self) -> Array1<f32> {
        let ceiling = (self.mean_probs.classes() as f32).log2();
        if ceiling > 0.0 { self.entropy.mapv(|h| h / ceiling) } else { Array1::zeros(self.entropy.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn two_views_by_hand() {
        let v = Views::from_probs(&array![[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]]).unwrap();
        assert_eq!(v.mean_probs.row(0), array![0.5, 0.5].view());
        assert_eq!(v.entropy, array![1.0, 0.0]);
        assert_eq!(v.variance, array![1.0, 0.0]);
        assert_eq!(v.unsmoothness(), array![1.0, 0.0]);
    }

    #[test]
    fn a_pool_of_certain_answers_has_no_unsmoothness() {
        let v = Views::from_probs(&array![[[1.0, 0.0], [0.0, 1.0]]]).unwrap();
        assert_eq!(v.unsmoothness(), array![0.0, 0.0]);
    }
}
