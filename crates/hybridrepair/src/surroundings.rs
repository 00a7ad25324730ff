//! What lies around the bought pictures, to be shown beside them.

use crate::Error;
use hybridrepair_core::{Evidence, Pick, PoolIdx, RegionId};
use hybridrepair_kernels::{Points, squared_distance, top_k};

/// What lies around one picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Around {
    /// Its region.
    pub(crate) region: Option<RegionId>,
    /// Pictures of the region.
    pub(crate) size: Option<usize>,
    /// The nearest others of the region, nearest first.
    pub(crate) members: Vec<PoolIdx>,
    /// The nearest others of the pool, nearest first.
    pub(crate) nearest: Vec<PoolIdx>,
}

/// Of each pick at most `k` members of its region and `k` neighbours in the pool, by the embeddings; nothing where there are
/// none.
pub(crate) fn surroundings(picks: &[&Pick], evidence: &Evidence, k: usize) -> Result<Vec<Around>, Error> {
    let mut out = vec![Around::default(); picks.len()];
    let Some(embeddings) = evidence.embeddings.as_ref().filter(|e| e.len() > 1 && !picks.is_empty()) else {
        return Ok(out);
    };
    let queries = embeddings.select(&picks.iter().map(|p| p.idx.row()).collect::<Vec<_>>())?;
    let k = k.min(embeddings.len() - 1);
    // one more, for the picture itself is among them
    let base = Points::new(embeddings.as_slice(), embeddings.dim())?;
    let found = top_k(Points::new(queries.as_slice(), queries.dim())?, base, k + 1)?;
    for (i, (around, pick)) in out.iter_mut().zip(picks).enumerate() {
        let others = found.of(i).0.iter().copied().map(PoolIdx).filter(|idx| *idx != pick.idx);
        around.nearest = others.take(k).collect();
        let Some(regions) = &evidence.regions else { continue };
        // a centre may lie outside the region that it was bought for
        let Some(id) = pick.region.or_else(|| regions.of(pick.idx)) else { continue };
        let members = &regions.get(id).members;
        let mut near: Vec<(f64, PoolIdx)> = members
            .iter()
            .filter(|idx| **idx != pick.idx)
            .map(|idx| (squared_distance(queries.row(i), embeddings.row(idx.row())), *idx))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        around.region = Some(id);
        around.size = Some(members.len());
        around.members = near.into_iter().take(k).map(|(_, idx)| idx).collect();
    }
    Ok(out)
}
