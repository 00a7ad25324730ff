use crate::candidates::{Candidates, CollectSelection, draw, required};
use crate::{SelectError, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, RegionId, Regions, Selection, Stream};

/// `HybridRepair` (Li et al., ISSTA 2022, section 3.2): one label for each of the regions of largest summed
/// unsmoothness.
///
/// Region `j` has the score `s_j = sum_{i in C_j} u_i`, where `u_i = H_i / max H` is the entropy of the prediction
/// averaged over augmented views: a sum, which favours large regions. Regions are taken in descending order, and the
/// pick is the region's centre.
///
/// In the published method a centre may lie outside its region, so two regions may share one, or its label may be known
/// already. Such a region is skipped, since its label costs nothing: the next region takes its place, and always
/// `min(budget, unlabelled)` different samples are picked. When the regions run out, the picks are filled up, without a
/// region, with random samples of no region and then with random members; where the budget is above the number of
/// samples in regions, as published, with all members and then with random samples of no region.
///
/// `O(n)`. Score: `s_j`; for a filled-up pick its own `u_i`.
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, PoolIdx, Regions, Streams, Views};
/// use hybridrepair_select::{Hybrid, Strategy};
/// // two views of four samples: the model wavers on samples 2 and 3
/// let views = ndarray::array![[[1., 0.], [1., 0.], [1., 0.], [0., 1.]], [[1., 0.], [1., 0.], [0., 1.], [1., 0.]]];
/// let regions = Regions::from_labels(&[Some(0), Some(0), Some(1), Some(1)], &[PoolIdx(0), PoolIdx(3)])?;
/// let evidence = Evidence { views: Some(Views::from_probs(&views)?), regions: Some(regions), ..Evidence::default() };
/// let picked = Hybrid.select(&Pool::counted(4), &evidence, 1, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.picks[0].idx, PoolIdx(3));
/// assert_eq!(picked.picks[0].score, 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hybrid;

impl Strategy for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Views, Need::Regions])
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let unsmoothness = required(evidence.views.as_ref(), self, Need::Views)?.unsmoothness();
        let regions = required(evidence.regions.as_ref(), self, Need::Regions)?;
        let unsmooth = |row: usize| f64::from(unsmoothness[row]);

        let positions = candidates.positions();
        let mut free = vec![true; candidates.len()];
        let mut picks = Vec::with_capacity(candidates.take());
        for (score, id) in ranked(pool, regions, unsmooth) {
            let region = regions.get(id);
            if picks.len() == candidates.take() {
                break;
            }
            if let Some(pos) = positions[region.center.row()].filter(|&pos| free[pos]) {
                free[pos] = false;
                let reason = format!("speaks for {} samples of summed unsmoothness {score:.3}", region.members.len());
                picks.push(candidates.pick(picks.len(), pos, score, Some(id), reason));
            }
        }
        let in_region = |pos: usize| regions.of(candidates.rows()[pos]).is_some();
        for pos in fill(&free, in_region, candidates.take(), rng).into_iter().take(candidates.take() - picks.len()) {
            let words = if in_region(pos) { "more labels than regions: member of a region" } else { "in no region" };
            picks.push(candidates.pick(picks.len(), pos, unsmooth(candidates.row(pos)), None, words.to_owned()));
        }
        Ok(picks.into_iter().collect_selection())
    }
}

/// The regions by summed unsmoothness, largest first; ties go to the lower id of the centre, then to the lowest member.
fn ranked(pool: &Pool, regions: &Regions, unsmooth: impl Fn(usize) -> f64) -> Vec<(f64, RegionId)> {
    let mut ranked: Vec<_> = regions
        .iter()
        .map(|(id, region)| {
            // summed in the order of the ids, so that the sum does not depend on the row order
            let mut members = region.members.clone();
            members.sort_unstable_by_key(|&idx| pool.id(idx));
            let score = members.iter().map(|idx| unsmooth(idx.row())).sum::<f64>();
            (score, pool.id(region.center), pool.id(members[0]), id)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    ranked.into_iter().map(|(score, _, _, id)| (score, id)).collect()
}

/// All free positions in the order in which they fill up a budget that the regions leave unspent.
fn fill(free: &[bool], in_region: impl Fn(usize) -> bool, take: usize, rng: &mut Stream) -> Vec<usize> {
    let clustered = (0..free.len()).filter(|&pos| in_region(pos)).count();
    let (mut members, mut others): (Vec<_>, Vec<_>) =
        (0..free.len()).filter(|&pos| free[pos]).partition(|&pos| in_region(pos));
    let all = others.len();
    draw(&mut others, all, rng);
    if take > clustered {
        members.extend(others);
        return members;
    }
    let all = members.len();
    draw(&mut members, all, rng);
    others.extend(members);
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, PoolIdx, Streams, Views};
    use ndarray::{Array1, Array2};

    /// Samples whose entropies are in proportion to 0..=1 numbers; only the order and the sums matter.
    fn evidence(entropy: &[f32], labels: &[Option<u32>], centers: &[u32]) -> Evidence {
        let n = entropy.len();
        let mut views = Views::from_moments(Array2::from_elem((n, 2), 0.5), Array1::zeros(n)).unwrap();
        views.entropy = entropy.iter().copied().collect();
        let centers: Vec<PoolIdx> = centers.iter().map(|&c| PoolIdx(c)).collect();
        let regions = Some(Regions::from_labels(labels, &centers).unwrap());
        Evidence { views: Some(views), regions, ..Evidence::default() }
    }

    fn run(e: &Evidence, budget: usize) -> Vec<(u32, Option<u32>)> {
        let n = e.regions.as_ref().unwrap().pool_len();
        let picked = Hybrid.select(&Pool::counted(n), e, budget, &mut Streams::new(0).named("s")).unwrap();
        picked.picks.iter().map(|p| (p.idx.0, p.region.map(|r| r.0))).collect()
    }

    #[test]
    fn sums_rank_regions_and_large_regions_win() {
        let e = evidence(&[0.4, 0.4, 0.4, 1.0, 0.0], &[Some(0), Some(0), Some(0), Some(1), None], &[1, 3]);
        assert_eq!(run(&e, 1), [(1, Some(0))], "0.4 * 3 > 1.0");
        assert_eq!(run(&e, 2), [(1, Some(0)), (3, Some(1))]);
    }

    #[test]
    fn a_shared_or_known_centre_gives_way_to_the_next_region() {
        let labels = [Some(0), Some(0), Some(1), Some(2), None];
        let mut e = evidence(&[1.0, 1.0, 0.9, 0.5, 0.1], &labels, &[4, 4, 3]);
        assert_eq!(run(&e, 2), [(4, Some(0)), (3, Some(2))], "regions 0 and 1 share sample 4, which is noise");
        e.known.insert_bought(PoolIdx(4), ClassId(0));
        assert_eq!(run(&e, 1), [(3, Some(2))]);
    }

    #[test]
    fn an_unspent_budget_goes_to_noise_first_then_to_members() {
        let labels = [Some(0), Some(0), Some(0), Some(0), Some(0), None, None];
        let e = evidence(&[1.0; 7], &labels, &[2]);
        let picked = run(&e, 4);
        assert_eq!(picked[0], (2, Some(0)));
        let mut noise: Vec<u32> = picked[1..3].iter().map(|p| p.0).collect();
        noise.sort_unstable();
        assert_eq!(noise, [5, 6]);
        assert!(picked[3].0 < 5 && picked[3].1.is_none());
    }

    #[test]
    fn a_budget_above_the_clustered_samples_buys_them_all() {
        let labels = [Some(0), Some(0), Some(0), None, None, None, None];
        let e = evidence(&[1.0; 7], &labels, &[1]);
        let picked = run(&e, 4);
        assert_eq!(picked[..3], [(1, Some(0)), (0, None), (2, None)]);
        assert!(picked[3].0 > 2);
        assert_eq!(run(&e, 99).len(), 7);
    }
}
