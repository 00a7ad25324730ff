use crate::candidates::{CollectSelection, required};
use crate::{Estimate, SelectError, Size, Strategy, order::units};
use hybridrepair_core::{Evidence, Need, Needs, Pick, Pool, PoolIdx, Selection, Stream};
use hybridrepair_kernels::squared_distance;
use rayon::prelude::*;

/// Another strategy without near-duplicates: `NAME+distinct` or `NAME+distinct=0.05`.
///
/// A pick whose embedding, at unit length, lies within the distance of an earlier pick or of a known sample is passed
/// over, exactly: distances are taken in `f64`. The strategy is asked for more until the budget is spent; where the pool
/// holds too few distinct samples, those passed over fill up, in its order. Where the strategy's smaller budgets begin its
/// larger ones, so do these.
///
/// Cost: that of the strategy for as many picks as it takes, and `O(B (B + known) d)`. Score and reason are the strategy's.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams};
/// // the two most uncertain samples are the same picture
/// let evidence = Evidence {
///     probs: Some(Probs::new(ndarray::array![[0.5, 0.5], [0.5, 0.5], [0.7, 0.3]])?),
///     embeddings: Some(Embeddings::new(ndarray::array![[1.0, 0.0], [2.0, 0.001], [0.0, 1.0]])?),
///     ..Evidence::default()
/// };
/// let picked = hybridrepair_select::strategy("margin+distinct=0.01")?
///     .select(&Pool::counted(3), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [0, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Distinct {
    inner: Box<dyn Strategy>,
    distance: f64,
    name: String,
}

impl Distinct {
    /// The distance of `NAME+distinct`: a cosine of 0.99875.
    pub const DISTANCE: f64 = 0.05;

    /// This strategy with picks farther apart than a distance between unit vectors, in [0, 2).
    ///
    /// # Errors
    /// When the distance is outside.
    pub fn new(inner: Box<dyn Strategy>, distance: f64) -> Result<Self, SelectError> {
        let value = if distance == Self::DISTANCE { String::new() } else { format!("={distance}") };
        let name = format!("{}+distinct{value}", inner.name());
        let out = Self { inner, distance, name };
        if (0.0..2.0).contains(&distance) {
            Ok(out)
        } else {
            Err(SelectError::parameter(&out, "distance", distance, "is not in [0, 2)"))
        }
    }
}

impl Strategy for Distinct {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        self.inner.needs().union(Needs::of(&[Need::Embeddings]))
    }

    fn cost(&self, size: &Size) -> Estimate {
        let (b, known, d) = (size.budget as f64, size.known as f64, size.dim as f64);
        let compare = Estimate { bytes: 0.0, products: b * (b + known) * 8.0 * d, read: 0.0 };
        let rows = Estimate { bytes: 4.0 * (b + known) * d, ..Estimate::default() };
        // asked once more on average
        self.inner
            .cost(size)
            .and(self.inner.cost(&Size { budget: (2 * size.budget).min(size.n), ..*size }))
            .and(compare)
            .and(rows)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        if let Some(need) = evidence.missing(self.needs()) {
            return Err(SelectError::Needs { strategy: self.name.clone(), need });
        }
        evidence.check(pool.len())?;
        let x = required(evidence.embeddings.as_ref(), self, Need::Embeddings)?;
        let take = budget.min(pool.len() - evidence.known.len());
        let allowed = evidence.restricted_to(self.inner.needs());
        let known: Vec<PoolIdx> = evidence.known.iter().map(|label| label.idx).collect();
        let known: Vec<f32> = if known.is_empty() { Vec::new() } else { units(x, &known)?.as_slice().to_vec() };

        let mut ask = take;
        loop {
            let picked = self.inner.select(pool, &allowed, ask, &mut rng.clone())?;
            let (mut apart, mut passed) = (Vec::new(), Vec::new());
            let mut rows = known.clone();
            for pick in picked.picks {
                if apart.len() == take {
                    break;
                }
                let row = units(x, &[pick.idx])?;
                let limit = self.distance * self.distance;
                let near = |other: &[f32]| squared_distance(other, row.as_slice()) <= limit;
                if rows.par_chunks_exact(x.dim()).with_min_len(1024).any(near) {
                    passed.push(pick);
                } else {
                    rows.extend_from_slice(row.as_slice());
                    apart.push(pick);
                }
            }
            if apart.len() == take || ask == pool.len() - evidence.known.len() {
                let missing = take - apart.len();
                let fill = passed
                    .into_iter()
                    .take(missing)
                    .map(|pick| Pick { reason: format!("{}; nothing more distinct is left", pick.reason), ..pick });
                let all = apart.into_iter().chain(fill).enumerate();
                return Ok(all.map(|(rank, pick)| Pick { rank, ..pick }).collect_selection());
            }
            ask = (ask + 2 * (take - apart.len()) + ask / 2).min(pool.len() - evidence.known.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy;
    use hybridrepair_core::{ClassId, Embeddings, Probs, Streams};
    use ndarray::Array2;

    /// 12 samples: four directions, three copies of each side by side, all equally uncertain.
    fn evidence() -> Evidence {
        let x = Array2::from_shape_fn((12, 4), |(i, j)| if i / 3 == j { 1.0 + i as f32 } else { 0.0 });
        Evidence {
            embeddings: Some(Embeddings::new(x).unwrap()),
            probs: Some(Probs::new(Array2::from_elem((12, 2), 0.5)).unwrap()),
            ..Evidence::default()
        }
    }

    fn rows(name: &str, evidence: &Evidence, budget: usize) -> Vec<usize> {
        let rng = &mut Streams::new(0).named("s");
        let picked = strategy(name).unwrap().select(&Pool::counted(12), evidence, budget, rng).unwrap();
        picked.rows().iter().map(|idx| idx.row()).collect()
    }

    #[test]
    fn copies_come_when_nothing_else_is_left() {
        let mut e = evidence();
        assert_eq!(rows("margin", &e, 4), [0, 1, 2, 3]);
        assert_eq!(rows("margin+distinct", &e, 4), [0, 3, 6, 9]);
        assert_eq!(rows("margin+distinct", &e, 6), [0, 3, 6, 9, 1, 2]);
        e.known.insert_bought(PoolIdx(5), ClassId(0));
        assert_eq!(rows("margin+distinct", &e, 4), [0, 6, 9, 1], "row 3 repeats a known sample");
        assert_eq!(rows("margin+distinct+balanced", &e, 3), [0, 6, 9]);
    }

    #[test]
    fn a_distance_beyond_the_sphere_is_refused() {
        for bad in ["margin+distinct=2", "margin+distinct=-1", "margin+distinct=NaN"] {
            assert!(matches!(strategy(bad).err(), Some(SelectError::Parameter { parameter: "distance", .. })), "{bad}");
        }
    }
}
