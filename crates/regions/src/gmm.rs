use crate::foreign::{clustering, wide};
use crate::{Clusterer, Clustering, RegionError};
use hybridrepair_core::{Embeddings, Stream};
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::GaussianMixtureModel;

/// A mixture of Gaussians with full covariances by linfa: for tens of regions, not thousands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gmm {
    /// Number of components.
    pub k: usize,
    /// Added to the diagonal of each covariance, as a share of the mean variance of a column.
    pub ridge: f64,
}

impl Gmm {
    /// `k` components with a ridge of 1e-3.
    pub fn new(k: usize) -> Self {
        Self { k, ridge: 1e-3 }
    }
}

/// Bytes that the covariances and what is derived from them may take.
const MOST: usize = 1 << 30;

impl Clusterer for Gmm {
    fn name(&self) -> &'static str {
        "gmm"
    }

    fn cluster(&self, x: &Embeddings, rng: &mut Stream) -> Result<Clustering, RegionError> {
        let parameter = |what, given: f64, expected: String| Err(RegionError::Parameter { what, given, expected });
        if self.k == 0 || self.k > x.len() {
            return parameter("k", self.k as f64, format!("between 1 and the {} samples", x.len()));
        }
        if !(self.ridge > 0.0 && self.ridge.is_finite()) {
            return parameter("ridge", self.ridge, "a finite number above 0".into());
        }
        // three arrays of k x d x d, the probabilities, and the work of one component on all rows
        let numbers =
            3 * self.k as u128 * (x.dim() as u128).pow(2) + x.len() as u128 * (2 * self.k + 4 * x.dim()) as u128;
        if numbers * 8 > MOST as u128 {
            return parameter("memory of gmm in bytes", numbers as f64 * 8.0, format!("at most {MOST}: use kmeans"));
        }
        // centred and of unit variance: one ridge fits all data
        let mut data = wide(x);
        for mut column in data.columns_mut() {
            let mean = column.mean().unwrap_or_default();
            column -= mean;
        }
        let variance = data.iter().map(|v| v * v).sum::<f64>() / data.len() as f64;
        if variance > 0.0 {
            data /= variance.sqrt();
        }
        let foreign = |why: String| RegionError::Foreign { name: "gmm", why };
        let data = DatasetBase::from(data);
        let params = GaussianMixtureModel::params_with_rng(self.k, rng.clone()).reg_covariance(self.ridge).n_runs(1);
        let model = params.fit(&data).map_err(|e| foreign(e.to_string()))?;
        let labels = model.predict(&data);
        clustering(x, &labels.iter().map(|&l| Some(l)).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{PoolIdx, Streams};
    use ndarray::Array2;
    use rand::Rng;

    #[test]
    fn two_clouds_and_refusals() {
        let rng = &mut Streams::new(0).named("t");
        let at = |(i, _): (usize, usize)| (i % 2) as f32 * 10.0 + rng.r#gen::<f32>();
        let x = Embeddings::new(Array2::from_shape_fn((60, 2), at)).unwrap();
        let rng = &mut Streams::new(0).named("u");
        let found = Gmm::new(2).cluster(&x, rng).unwrap();
        assert_eq!(found.regions.len(), 2);
        assert!((0..60).all(|i| found.regions.of(PoolIdx(i)) == found.regions.of(PoolIdx(i % 2))));
        assert!(Gmm::new(0).cluster(&x, rng).is_err());
        assert!(Gmm::new(61).cluster(&x, rng).is_err());
        assert!(Gmm { k: 2, ridge: 0.0 }.cluster(&x, rng).is_err());
        let wide = Embeddings::new(Array2::zeros((3000, 512))).unwrap();
        assert!(Gmm::new(2000).cluster(&wide, rng).unwrap_err().to_string().contains("memory"));
        // equal rows: one component, or an error of linfa's, but no panic
        let same = Embeddings::new(Array2::from_elem((9, 2), 4.0)).unwrap();
        let _ = Gmm::new(3).cluster(&same, rng);
    }
}
