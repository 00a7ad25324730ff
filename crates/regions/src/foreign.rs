//! What the wrappers around linfa share.

use crate::centers::regions_of;
use crate::{Clustering, RegionError};
use hybridrepair_core::Embeddings;
use hybridrepair_kernels::neighbors;
use ndarray::Array2;

/// The rows in `f64`: squares of any finite `f32` stay finite.
pub(crate) fn wide(x: &Embeddings) -> Array2<f64> {
    x.view().mapv(f64::from)
}

/// Regions from labels with gaps: empty ones are dropped, the others renumbered in order.
pub(crate) fn clustering(x: &Embeddings, labels: &[Option<usize>]) -> Result<Clustering, RegionError> {
    let mut used = labels.iter().flatten().copied().collect::<Vec<_>>();
    used.sort_unstable();
    used.dedup();
    let number = |l: usize| used.binary_search(&l).unwrap_or_default() as u32;
    let labels = labels.iter().map(|l| l.map(number)).collect::<Vec<_>>();
    let note = used.is_empty().then(|| "every sample is noise".to_owned());
    Ok(Clustering { regions: regions_of(x, &labels, used.len())?, note })
}

/// Checks the parameters that all density methods have.
pub(crate) fn check_density(x: &Embeddings, min_points: usize, eps: Option<f64>) -> Result<(), RegionError> {
    if min_points < 2 || min_points > x.len() {
        let expected = format!("between 2 and the {} samples", x.len());
        return Err(RegionError::Parameter { what: "min_points", given: min_points as f64, expected });
    }
    match eps {
        Some(eps) if !(eps > 0.0 && eps.is_finite()) => {
            Err(RegionError::Parameter { what: "eps", given: eps, expected: "a finite number above 0".into() })
        }
        _ => Ok(()),
    }
}

/// The given radius, or the median distance to the `min_points`-th nearest sample, the sample itself counted: then half
/// of the samples are core samples (a fixed point on the sorted k-distance plot of Ester et al. 1996, section 4.2).
pub(crate) fn radius(x: &Embeddings, min_points: usize, eps: Option<f64>) -> Result<f64, RegionError> {
    check_density(x, min_points, eps)?;
    if let Some(eps) = eps {
        return Ok(eps);
    }
    let k = min_points - 1;
    let found = neighbors(x.into(), k)?;
    let mut last = (0..x.len()).map(|i| found.of(i).1[k - 1]).collect::<Vec<_>>();
    let middle = last.len() / 2;
    let (_, median, _) = last.select_nth_unstable_by(middle, f64::total_cmp);
    // duplicates: a radius of 0 is refused by linfa, and any positive one below the next distance does the same
    Ok(median.sqrt().max(f64::from(f32::MIN_POSITIVE)))
}
