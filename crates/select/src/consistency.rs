use crate::Ranker;
use hybridrepair_core::{Evidence, Need, Needs, Views};

/// The largest variance of the predictions over augmented views (Gao et al., ECCV 2020): `V = sum_c Var_k p_kc`.
///
/// A ranker: deterministic, one pass over `n` numbers. Score: `V`, in [0, 1] up to the factor of the unbiased variance.
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Streams, Views};
/// use hybridrepair_select::{Consistency, Strategy};
/// // two views of two samples: the second one changes its class
/// let views = ndarray::array![[[0.5, 0.5], [1.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]]];
/// let evidence = Evidence { views: Some(Views::from_probs(&views)?), ..Evidence::default() };
/// let picked = Consistency.select(&Pool::counted(2), &evidence, 1, &mut Streams::new(0).named("select"))?;
/// assert_eq!((picked.picks[0].idx.row(), picked.picks[0].score), (1, 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Consistency;

impl Ranker for Consistency {
    type On<'e> = &'e Views;

    fn name(&self) -> &'static str {
        "consistency"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Views])
    }

    fn on<'e>(&self, evidence: &'e Evidence) -> Option<&'e Views> {
        evidence.views.as_ref()
    }

    fn score(&self, views: &&Views, row: usize) -> f64 {
        f64::from(views.variance[row])
    }

    fn reason(&self, views: &&Views, row: usize) -> String {
        format!("variance over views {:.4}", views.variance[row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SelectError, Strategy};
    use hybridrepair_core::{CoreError, Pool, Streams};
    use ndarray::{Array1, Array2, array};

    #[test]
    fn a_variance_that_is_no_number_is_refused() {
        let mean = Array2::from_elem((3, 2), 0.5);
        let run = |variance: Array1<f32>| {
            let views = Views::from_moments(mean.clone(), variance).unwrap();
            let evidence = Evidence { views: Some(views), ..Evidence::default() };
            Consistency.select(&Pool::counted(3), &evidence, 2, &mut Streams::new(0).named("s"))
        };
        let rows: Vec<usize> = run(array![0.1, 0.3, 0.2]).unwrap().rows().iter().map(|i| i.row()).collect();
        assert_eq!(rows, [1, 2]);
        let error = run(array![0.1, f32::NAN, 0.2]).unwrap_err();
        assert!(matches!(error, SelectError::Core(CoreError::NotFinite { row: 1, .. })), "{error}");
    }
}
