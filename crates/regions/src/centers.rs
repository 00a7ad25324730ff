use crate::RegionError;
use hybridrepair_core::{Embeddings, PoolIdx, Regions};
use hybridrepair_kernels::{Points, squared_distance, top_k};
use rayon::prelude::*;

/// Which sample speaks for a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Center {
    /// The sample nearest to the centroid in the whole pool, noise and other regions included (published).
    NearestInPool,
    /// The member with the least sum of squared distances to the members: the one nearest to their mean.
    #[default]
    Medoid,
}

/// The medoid of each region: the member nearest to the mean of the members, the lowest row of equals.
pub fn medoids(x: &Embeddings, members: &[Vec<u32>]) -> Vec<PoolIdx> {
    members
        .par_iter()
        .map(|rows| {
            let mut mean = vec![0.0f64; x.dim()];
            for &i in rows {
                mean.iter_mut().zip(x.row(i as usize)).for_each(|(m, &v)| *m += f64::from(v) / rows.len() as f64);
            }
            let mean = mean.into_iter().map(|m| m as f32).collect::<Vec<_>>();
            let distance = |i: u32| squared_distance(x.row(i as usize), &mean);
            let best = rows.iter().map(|&i| (distance(i), i)).reduce(|a, b| if b < a { b } else { a });
            PoolIdx(best.expect("a region has a member").1)
        })
        .collect()
}

/// Regions from a label per row, labels being `0..k` with at least one member each.
pub(crate) fn regions_of(x: &Embeddings, labels: &[Option<u32>], k: usize) -> Result<Regions, RegionError> {
    let centers = medoids(x, &members(labels, k));
    Ok(Regions::from_labels(labels, &centers)?)
}

/// Rows of each label, ascending.
pub(crate) fn members(labels: &[Option<u32>], k: usize) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); k];
    for (i, label) in labels.iter().enumerate() {
        if let Some(c) = label {
            members[*c as usize].push(i as u32);
        }
    }
    members
}

/// The row of `x` nearest to each centroid.
pub(crate) fn nearest_in_pool(x: &Embeddings, centroids: Points<'_>) -> Result<Vec<PoolIdx>, RegionError> {
    Ok(top_k(centroids, x.into(), 1)?.index.into_iter().map(PoolIdx).collect())
}
