use crate::candidates::{Candidates, CollectSelection, required};
use crate::{Estimate, SelectError, Size, Strategy, vector::dist2};
use hybridrepair_core::{Embeddings, Evidence, Need, Needs, Pool, Selection, Stream};
use std::{cmp::Reverse, collections::BinaryHeap};

/// Greedy k-centre (Sener & Savarese, ICLR 2018, algorithm 1) on raw penultimate features, Euclidean: each pick is the
/// sample farthest from everything covered.
///
/// Covered are the picks, the samples whose labels are known and, on request, the source data. Where nothing is covered
/// yet the start is the sample of the lowest id: row 0 of a pool in id order, as published.
///
/// Deterministic. Distances to the cover only shrink, so a stale one is an upper bound: a max-heap of bounds refreshes
/// only what stands at its top and finds the exact farthest sample. At worst `O(B n D)`, usually a small part of that;
/// memory is the features plus `O(n + B D)`. Score: the distance to the cover, in units of the features.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Streams};
/// use hybridrepair_select::{Coreset, Strategy};
/// let features = Embeddings::new(ndarray::array![[0.0], [1.0], [10.0], [6.0]])?;
/// let evidence = Evidence { features: Some(features), ..Evidence::default() };
/// let picked = Coreset::default().select(&Pool::counted(4), &evidence, 3, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [0, 2, 3]);
/// assert_eq!(picked.picks[2].score, 4.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Coreset {
    /// Whether the penultimate features of the source data count as covered.
    pub cover_source: bool,
}

impl Strategy for Coreset {
    fn name(&self) -> &str {
        if self.cover_source { "coreset_source" } else { "coreset" }
    }

    fn needs(&self) -> Needs {
        let source = if self.cover_source { Needs::of(&[Need::Source]) } else { Needs::NONE };
        Needs::of(&[Need::Features]).union(source)
    }

    fn cost(&self, size: &Size) -> Estimate {
        let covers = (size.known + if self.cover_source { size.source } else { 0 }) as f64;
        let (n, d) = (size.n as f64, size.features as f64);
        let start = Estimate { bytes: 8.0 * covers * d + 100.0 * n, products: n * covers * 2.0 * d, read: 4.0 * n * d };
        Estimate::per_pick(size, size.features).and(start)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        _: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let features = required(evidence.features.as_ref(), self, Need::Features)?;
        let source = if self.cover_source { Some(self.source_features(evidence, features)?) } else { None };
        if candidates.take() == 0 {
            return Ok(Selection::default());
        }
        let mut distances = covered(&candidates, features, evidence, source)?;
        let mut taken = Vec::with_capacity(candidates.take());
        let row = |pos| features.row(candidates.row(pos));
        let start = distances.is_none();
        let distances = distances.get_or_insert_with(|| candidates.score(|i| dist2(features.row(i), row(0))));
        if start {
            taken.push((0, distances.iter().copied().fold(0.0, f64::max)));
        }
        farthest_first(distances, start, candidates.take(), row, &mut taken);

        Ok(taken
            .into_iter()
            .enumerate()
            .map(|(rank, (pos, d2))| {
                let distance = d2.sqrt();
                let reason = if start && rank == 0 {
                    format!("start of the cover; the farthest sample is {distance:.4} away")
                } else {
                    format!("{distance:.4} away from all that is labelled or picked")
                };
                candidates.pick(rank, pos, distance, None, reason)
            })
            .collect_selection())
    }
}

impl Coreset {
    fn source_features<'e>(self, evidence: &'e Evidence, pool: &Embeddings) -> Result<&'e Embeddings, SelectError> {
        let source = required(evidence.source.as_ref(), &self, Need::Source)?;
        let part = SelectError::SourcePart { strategy: self.name().to_owned(), part: "features" };
        let features = source.features.as_ref().ok_or(part)?;
        if features.dim() != pool.dim() {
            return Err(SelectError::Columns { what: "source features", got: features.dim(), expected: pool.dim() });
        }
        Ok(features)
    }
}

/// Squared distance of each candidate to what is covered from the start; `None` when nothing is.
fn covered(
    candidates: &Candidates,
    features: &Embeddings,
    evidence: &Evidence,
    source: Option<&Embeddings>,
) -> Result<Option<Vec<f64>>, SelectError> {
    let known: Vec<usize> = evidence.known.iter().map(|label| label.idx.row()).collect();
    let known = if known.is_empty() { None } else { Some(features.select(&known)?) };
    let mut distances: Option<Vec<f64>> = None;
    for cover in known.iter().chain(source) {
        let near = hybridrepair_kernels::nearest(features.into(), cover.into())?.squared;
        let near = candidates.score(|row| f64::from(near[row]));
        distances = Some(match distances {
            None => near,
            Some(before) => before.iter().zip(near).map(|(&a, b)| a.min(b)).collect(),
        });
    }
    Ok(distances)
}

/// Squared distance to the nearest of some rows.
fn nearest(x: &[f32], rows: &[&[f32]]) -> f64 {
    rows.iter().map(|row| dist2(x, row)).fold(f64::INFINITY, f64::min)
}

/// A squared distance that was right when it was last looked at; larger first, then the lower position.
#[derive(PartialEq)]
struct Bound(f64, Reverse<usize>);

impl Eq for Bound {}
impl Ord for Bound {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then_with(|| self.1.cmp(&other.1))
    }
}
impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Fills `taken` up to `take` with (position, squared distance to the cover at its turn). `distances` hold for all that
/// is covered at the start; with `start`, position 0 is covered and taken already.
fn farthest_first<'x>(
    distances: &[f64],
    start: bool,
    take: usize,
    row: impl Fn(usize) -> &'x [f32],
    taken: &mut Vec<(usize, f64)>,
) {
    let first = usize::from(start);
    let mut heap: BinaryHeap<Bound> = (first..distances.len()).map(|pos| Bound(distances[pos], Reverse(pos))).collect();
    // how many of the new centres a candidate has been compared with
    let mut compared = vec![0u32; distances.len()];
    let mut centres: Vec<&[f32]> = Vec::with_capacity(take);
    while taken.len() < take {
        let Some(mut top) = heap.peek_mut() else { return };
        let pos = top.1.0;
        let fresh = &centres[compared[pos] as usize..];
        if fresh.is_empty() {
            taken.push((pos, top.0));
            centres.push(row(pos));
            std::collections::binary_heap::PeekMut::pop(top);
        } else {
            compared[pos] = centres.len() as u32;
            let near = nearest(row(pos), fresh);
            if near < top.0 {
                top.0 = near;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, PoolIdx, Source, Streams};
    use ndarray::{Array2, array};
    use rand::Rng;

    fn rows(strategy: Coreset, evidence: &Evidence, budget: usize) -> Vec<usize> {
        let pool = Pool::counted(evidence.features.as_ref().unwrap().len());
        let picked = strategy.select(&pool, evidence, budget, &mut Streams::new(0).named("s")).unwrap();
        picked.rows().iter().map(|idx| idx.row()).collect()
    }

    fn evidence(features: Array2<f32>) -> Evidence {
        Evidence { features: Some(Embeddings::new(features).unwrap()), ..Evidence::default() }
    }

    #[test]
    fn the_lazy_heap_picks_what_the_plain_loop_picks() {
        let mut rng = Streams::new(7).named("coreset");
        for d in [1, 3, 40] {
            let x = Array2::from_shape_fn((200, d), |_| f32::from(rng.gen_range(0u8..12)));
            let evidence = evidence(x);
            let e = evidence.features.as_ref().unwrap();
            let mut near: Vec<f64> = (0..200).map(|i| dist2(e.row(i), e.row(0))).collect();
            let mut plain = vec![0];
            while plain.len() < 60 {
                let free = (0..200).filter(|i| !plain.contains(i));
                let best = free.reduce(|a, b| if near[b] > near[a] { b } else { a }).unwrap();
                plain.push(best);
                (0..200).for_each(|i| near[i] = near[i].min(dist2(e.row(i), e.row(best))));
            }
            assert_eq!(rows(Coreset::default(), &evidence, 60), plain, "d = {d}");
        }
    }

    #[test]
    fn known_samples_and_the_source_are_covered() {
        let mut e = evidence(array![[0.0], [1.0], [10.0], [6.0]]);
        e.known.insert_bought(PoolIdx(2), ClassId(0));
        assert_eq!(rows(Coreset::default(), &e, 2), [0, 3], "10 is known: 0 is farthest, then 6");
        let features = Some(Embeddings::new(array![[0.0], [1.0]]).unwrap());
        e.source = Some(Source { embeddings: None, features, labels: vec![ClassId(0); 2] });
        assert_eq!(rows(Coreset { cover_source: true }, &e, 3), [3, 0, 1]);
    }

    #[test]
    fn a_source_that_does_not_fit_is_refused() {
        let mut e = evidence(array![[0.0], [1.0]]);
        let source = |features| Some(Source { embeddings: None, features, labels: vec![] });
        let run = |e: &Evidence| {
            let pool = Pool::counted(2);
            Coreset { cover_source: true }.select(&pool, e, 1, &mut Streams::new(0).named("s")).unwrap_err()
        };
        assert!(matches!(run(&e), SelectError::Needs { need: Need::Source, .. }));
        e.source = source(None);
        assert!(matches!(run(&e), SelectError::SourcePart { part: "features", .. }));
        e.source = source(Some(Embeddings::new(array![[0.0, 1.0]]).unwrap()));
        assert!(matches!(run(&e), SelectError::Columns { got: 2, expected: 1, .. }));
    }

    #[test]
    fn duplicates_are_picked_last_and_once() {
        let e = evidence(array![[1.0], [1.0], [1.0], [2.0]]);
        assert_eq!(rows(Coreset::default(), &e, 9), [0, 3, 1, 2]);
    }
}
