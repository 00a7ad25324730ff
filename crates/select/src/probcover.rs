use crate::candidates::{self, Candidates, CollectSelection, draw, required};
use crate::{
    Estimate, SelectError, Size, Strategy,
    coverage::{Coverage, Start},
    radius,
};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Selection, Stream};
use hybridrepair_kernels::Likeness;

/// `ProbCover` (Yehuda et al., Active Learning Through a Covering Lens, `NeurIPS` 2022): the greedy maximum of the number
/// of samples within a radius of a pick, on embeddings of unit length.
///
/// Known samples cover from the start. The radius is the largest at which 95 % of the balls are pure, by the groups of
/// k-means with as many clusters as the model has classes (their heuristic); the answer depends on it. Once everything
/// is covered, the rest is drawn at random.
///
/// `O(n^2 d)` in all: the balls are counted once, and each sample leaves the counts once, when it becomes covered. Memory
/// is a copy of the embeddings (two while k-means runs) and at most 640 MiB. Score: the share of the pool that is newly
/// covered.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Streams};
/// use hybridrepair_select::{ProbCover, Strategy};
/// // three samples in one direction, two in another, one between them
/// let x = ndarray::array![[1.0, 0.1], [1.0, 0.0], [1.0, -0.1], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]];
/// let evidence = Evidence { embeddings: Some(Embeddings::new(x)?), ..Evidence::default() };
/// let strategy = ProbCover { radius: Some(0.15), ..ProbCover::default() };
/// let picked = strategy.select(&Pool::counted(6), &evidence, 3, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [1, 3, 5]);
/// assert_eq!(picked.picks[0].score, 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ProbCover {
    /// Radius of a ball, above 0; `None` finds it and needs the probabilities for the number of classes.
    pub radius: Option<f64>,
    /// Share of the balls that must be pure where the radius is found, in (0, 1] (published: 0.95).
    pub purity: f64,
}

impl Default for ProbCover {
    fn default() -> Self {
        Self { radius: None, purity: 0.95 }
    }
}

impl Strategy for ProbCover {
    fn name(&self) -> &'static str {
        "probcover"
    }

    fn needs(&self) -> Needs {
        let classes = if self.radius.is_none() { Needs::of(&[Need::Probs]) } else { Needs::NONE };
        Needs::of(&[Need::Embeddings]).union(classes)
    }

    fn cost(&self, size: &Size) -> Estimate {
        Estimate::coverage(size, 2.0).and(Estimate::kmeans(size, size.classes))
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let embeddings = required(evidence.embeddings.as_ref(), self, Need::Embeddings)?;
        if !(self.purity > 0.0 && self.purity <= 1.0) {
            return Err(SelectError::parameter(self, "purity", self.purity, "is not in (0, 1]"));
        }
        if let Some(radius) = self.radius.filter(|r| !(*r > 0.0 && r.is_finite())) {
            return Err(SelectError::parameter(self, "radius", radius, "is not above 0 and finite"));
        }
        let take = candidates.take();
        if take == 0 {
            return Ok(Selection::default());
        }
        let radius = if let Some(radius) = self.radius {
            radius.max(radius::SMALLEST)
        } else {
            let classes = required(evidence.probs.as_ref(), self, Need::Probs)?.classes();
            radius::pure_radius(&candidates::units_in_id_order(embeddings, pool)?, classes, self.purity, rng)?
        };
        let ball = Likeness::Ball { squared: (radius * radius) as f32 };
        let mut coverage = Coverage::new(&candidates, pool, evidence, embeddings, ball, Start::Known, |_| 1.0);
        let mut picks = Vec::with_capacity(take);
        while let Some(pos) = coverage.best() {
            let gain = coverage.gain(pos).round();
            if gain == 0.0 {
                break;
            }
            let reason = format!("covers {gain:.0} samples anew within {radius:.3}");
            picks.push(candidates.pick(picks.len(), pos, gain / pool.len() as f64, None, reason));
            coverage.take(pos);
            if picks.len() == take {
                break;
            }
        }
        let mut rest = coverage.free();
        let missing = take - picks.len();
        draw(&mut rest, missing, rng);
        for &pos in &rest[..missing] {
            picks.push(candidates.pick(picks.len(), pos, 0.0, None, "everything is covered: drawn at random".into()));
        }
        Ok(picks.into_iter().collect_selection())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, Embeddings, PoolIdx, Probs, Streams};
    use ndarray::Array2;
    use rand::Rng;

    fn world(n: usize) -> Evidence {
        let mut rng = Streams::new(3).named("probcover");
        let x = Array2::from_shape_fn((n, 4), |_| rng.gen_range(-1.0f32..1.0));
        let probs = Some(Probs::new(Array2::from_elem((n, 4), 0.25)).unwrap());
        Evidence { embeddings: Some(Embeddings::new(x).unwrap()), probs, ..Evidence::default() }
    }

    #[test]
    fn picks_cover_most_by_a_plain_count() {
        let n = 400;
        let mut evidence = world(n);
        evidence.known.insert_bought(PoolIdx(7), ClassId(0));
        let unit = evidence.embeddings.as_ref().unwrap().normalized();
        let near = |i: usize, j: usize| hybridrepair_kernels::squared_distance(unit.row(i), unit.row(j)) < 0.25;
        let strategy = ProbCover { radius: Some(0.5), ..ProbCover::default() };
        let rng = &mut Streams::new(0).named("s");
        let picked = strategy.select(&Pool::counted(n), &evidence, 30, rng).unwrap();
        let mut covered: Vec<bool> = (0..n).map(|i| near(i, 7)).collect();
        for pick in &picked.picks {
            let gain = |c: usize| (0..n).filter(|&i| !covered[i] && near(i, c)).count();
            let best = (0..n).map(gain).max().unwrap();
            assert_eq!(gain(pick.idx.row()), best, "rank {}", pick.rank);
            assert!((pick.score - best as f64 / n as f64).abs() < 1e-9);
            (0..n).for_each(|i| covered[i] |= near(i, pick.idx.row()));
        }
    }

    #[test]
    fn the_radius_is_found_and_the_rest_is_drawn() {
        let evidence = world(300);
        let rng = &mut Streams::new(0).named("s");
        let picked = ProbCover::default().select(&Pool::counted(300), &evidence, 300, rng).unwrap();
        assert_eq!(picked.len(), 300);
        assert!(picked.picks[0].score > picked.picks[5].score);
        assert_eq!(picked.picks[299].score, 0.0);
        for radius in [0.0, -1.0, f64::NAN] {
            let strategy = ProbCover { radius: Some(radius), ..ProbCover::default() };
            assert!(matches!(
                strategy.select(&Pool::counted(300), &evidence, 3, rng),
                Err(SelectError::Parameter { parameter: "radius", .. })
            ));
        }
    }
}
