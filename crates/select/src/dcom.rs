use crate::candidates::{self, Candidates, CollectSelection, required};
use crate::coverage::{Coverage, Start};
use crate::{Estimate, SelectError, Size, Strategy, order::units, radius};
use hybridrepair_core::{Embeddings, Evidence, Need, Needs, Pool, Probs, Selection, Stream};
use hybridrepair_kernels::{Likeness, squared_distances_to};

/// `DCoM` (Mishal and Weinshall 2024, "Active Learning for All Learners"): density where little is covered yet,
/// uncertainty where the labels cover the pool, on embeddings of unit length.
///
/// Each known label has its own radius: the largest, found by bisection, at which the share of samples in the ball that the
/// model gives the label's class is `0.2 cov + 0.4`, with the share `cov` of the pool that balls of the start radius cover.
/// The balls of these radii cover a share `cov'`, and the competence is
/// `S = (1 + e^(-k (1 - a))) / (1 + e^(-k (cov' - a)))`. A pick maximises `S * uncertainty + (1 - S) * density`: `1 - margin`
/// and the number of samples not covered within the mean radius, each scaled to [0, 1] over the candidates; then its ball
/// is covered. The start radius is that of [`ProbCover`](crate::ProbCover), which also serves where no label is known.
///
/// `O(n^2 d)` in all, as [`ProbCover`](crate::ProbCover), and `O(n d)` per known label. Score: the sum above, in [0, 1].
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{DCom, Strategy};
/// // without labels it goes for density: three samples in one direction, two in another
/// let x = ndarray::array![[1.0, 0.1], [1.0, 0.0], [1.0, -0.1], [0.0, 1.0], [0.0, 1.0]];
/// let p = ndarray::array![[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.5, 0.5], [0.5, 0.5]];
/// let evidence = Evidence {
///     embeddings: Some(Embeddings::new(x)?),
///     probs: Some(Probs::new(p)?),
///     ..Evidence::default()
/// };
/// let strategy = DCom { radius: Some(0.15), ..DCom::default() };
/// let picked = strategy.select(&Pool::counted(5), &evidence, 2, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.rows().iter().map(|idx| idx.row()).collect::<Vec<_>>(), [1, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DCom {
    /// The start radius, above 0; `None` finds it at 95 % of pure balls.
    pub radius: Option<f64>,
    /// Slope `k` of the competence, above 0.
    pub slope: f64,
    /// Coverage `a` at which it is half way, in [0, 1].
    pub midpoint: f64,
}

impl Default for DCom {
    fn default() -> Self {
        Self { radius: None, slope: 30.0, midpoint: 0.9 }
    }
}

/// Halvings of a radius: a thousandth of the start.
const HALVINGS: usize = 11;

impl Strategy for DCom {
    fn name(&self) -> &'static str {
        "dcom"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs, Need::Embeddings])
    }

    fn cost(&self, size: &Size) -> Estimate {
        let known = Estimate::per_pick(&Size { budget: size.known, ..*size }, size.dim);
        Estimate::coverage(size, 2.0).and(Estimate::kmeans(size, size.classes)).and(known)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let candidates = Candidates::open(self, pool, evidence, budget)?;
        let probs = required(evidence.probs.as_ref(), self, Need::Probs)?;
        let embeddings = required(evidence.embeddings.as_ref(), self, Need::Embeddings)?;
        self.check()?;
        let take = candidates.take();
        if take == 0 {
            return Ok(Selection::default());
        }
        let start = match self.radius {
            Some(radius) => radius,
            None => radius::pure_radius(&candidates::units_in_id_order(embeddings, pool)?, probs.classes(), 0.95, rng)?,
        };
        // a ball of radius 2 holds the whole sphere
        let start = start.clamp(radius::SMALLEST, 2.0);
        let labelled = Labelled::of(evidence, embeddings, probs, start)?;
        let competence = self.competence(labelled.share());
        let ball = Likeness::Ball { squared: (labelled.mean_radius * labelled.mean_radius) as f32 };
        let weight = |row: usize| f32::from(u8::from(!labelled.covered[row]));
        let mut coverage = Coverage::new(&candidates, pool, evidence, embeddings, ball, Start::Nothing, weight);

        let doubt = candidates.score(|row| {
            let [(_, first), (_, second)] = probs.top2(row);
            1.0 - (f64::from(first) - f64::from(second))
        });
        let mut picks = Vec::with_capacity(take);
        while picks.len() < take {
            let free = coverage.free();
            let density = Range::of(free.iter().map(|&pos| coverage.gain(pos)));
            let doubts = Range::of(free.iter().map(|&pos| doubt[pos]));
            let score = |pos: usize| {
                competence * doubts.scale(doubt[pos]) + (1.0 - competence) * density.scale(coverage.gain(pos))
            };
            let Some(pos) = coverage.best_by(score) else { break };
            let reason = format!(
                "margin {:.3}, {:.0} samples not covered within {:.3}, competence {competence:.3}",
                1.0 - doubt[pos],
                coverage.gain(pos),
                labelled.mean_radius
            );
            picks.push(candidates.pick(picks.len(), pos, score(pos), None, reason));
            coverage.take(pos);
        }
        Ok(picks.into_iter().collect_selection())
    }
}

impl DCom {
    fn check(&self) -> Result<(), SelectError> {
        if let Some(radius) = self.radius.filter(|r| !(*r > 0.0 && r.is_finite())) {
            return Err(SelectError::parameter(self, "radius", radius, "is not above 0 and finite"));
        }
        if !(self.slope > 0.0 && self.slope.is_finite()) {
            return Err(SelectError::parameter(self, "slope", self.slope, "is not above 0 and finite"));
        }
        if !(0.0..=1.0).contains(&self.midpoint) {
            return Err(SelectError::parameter(self, "midpoint", self.midpoint, "is not in [0, 1]"));
        }
        Ok(())
    }

    /// 1 when everything is covered.
    fn competence(&self, covered: f64) -> f64 {
        let e = |share: f64| 1.0 + (-self.slope * (share - self.midpoint)).exp();
        (e(1.0) / e(covered)).min(1.0)
    }
}

/// Smallest and largest of some numbers.
struct Range(f64, f64);

impl Range {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        values.fold(Self(f64::INFINITY, f64::NEG_INFINITY), |r, v| Self(r.0.min(v), r.1.max(v)))
    }

    /// From [smallest, largest] to [0, 1]; 0 when they are equal.
    fn scale(&self, value: f64) -> f64 {
        if self.1 > self.0 { (value - self.0) / (self.1 - self.0) } else { 0.0 }
    }
}

/// What the known labels cover.
struct Labelled {
    covered: Vec<bool>,
    mean_radius: f64,
}

impl Labelled {
    fn of(evidence: &Evidence, x: &Embeddings, probs: &Probs, start: f64) -> Result<Self, SelectError> {
        let n = x.len();
        let known: Vec<_> = evidence.known.iter().collect();
        let mut covered = vec![false; n];
        if known.is_empty() {
            return Ok(Self { covered, mean_radius: start });
        }
        let all: Vec<_> = (0..n).map(hybridrepair_core::PoolIdx::from).collect();
        let x = units(x, &all)?;
        let mut squared = vec![0f32; n];
        for label in &known {
            squared_distances_to((&x).into(), x.row(label.idx.row()), &mut squared)?;
            squared.iter().zip(&mut covered).for_each(|(&s, c)| *c |= f64::from(s) < start * start);
        }
        let share = covered.iter().filter(|&&c| c).count() as f64 / n as f64;
        let purity = 0.2 * share + 0.4;
        covered.fill(false);
        let mut radii = Vec::with_capacity(known.len());
        for label in &known {
            squared_distances_to((&x).into(), x.row(label.idx.row()), &mut squared)?;
            let is_pure = |radius: f64| {
                let limit = (radius * radius) as f32;
                let inside = (0..n).filter(|&row| squared[row] < limit);
                let (own, all) = inside.fold((0usize, 0usize), |(own, all), row| {
                    (own + usize::from(probs.top1(row) == label.class), all + 1)
                });
                own as f64 >= purity * all as f64
            };
            let radius = largest(2.0 * start, is_pure).max(radius::SMALLEST);
            squared.iter().zip(&mut covered).for_each(|(&s, c)| *c |= f64::from(s) < radius * radius);
            radii.push(radius);
        }
        for label in &known {
            covered[label.idx.row()] = true;
        }
        // summed in an order that does not depend on the rows
        radii.sort_unstable_by(f64::total_cmp);
        Ok(Self { covered, mean_radius: radii.iter().sum::<f64>() / radii.len() as f64 })
    }

    fn share(&self) -> f64 {
        self.covered.iter().filter(|&&c| c).count() as f64 / self.covered.len() as f64
    }
}

/// The largest radius up to `most` that passes, by bisection.
fn largest(most: f64, passes: impl Fn(f64) -> bool) -> f64 {
    if passes(most) {
        return most;
    }
    let (mut low, mut high) = (0.0, most);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if passes(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::{ClassId, PoolIdx, Streams};
    use ndarray::Array2;

    #[test]
    fn competence_rises_with_the_cover() {
        let d = DCom::default();
        assert_eq!(d.competence(1.0), 1.0);
        assert!(d.competence(0.0) < 1e-9);
        let half = d.competence(0.9);
        assert!((half - f64::midpoint(1.0, (-3f64).exp())).abs() < 1e-12, "{half}");
    }

    #[test]
    fn bisection_finds_the_edge() {
        assert!((largest(1.0, |r| r <= 0.3) - 0.3).abs() < 1e-3);
        assert_eq!(largest(1.0, |_| true), 1.0);
        assert_eq!(largest(1.0, |_| false), 0.0);
    }

    #[test]
    fn covered_pools_are_bought_by_doubt() {
        // 20 samples on an arc, all within reach of the known ones; the model doubts the last
        let x = Array2::from_shape_fn((20, 2), |(i, j)| {
            let angle = i as f32 * 0.01;
            if j == 0 { angle.cos() } else { angle.sin() }
        });
        let p = Array2::from_shape_fn((20, 2), |(i, c)| {
            let first = if i == 19 { 0.6 } else { 0.9 };
            if c == 0 { first } else { 1.0 - first }
        });
        let mut evidence = Evidence {
            embeddings: Some(Embeddings::new(x).unwrap()),
            probs: Some(Probs::new(p).unwrap()),
            ..Evidence::default()
        };
        let run = |e: &Evidence, radius: f64| {
            let strategy = DCom { radius: Some(radius), ..DCom::default() };
            let picked = strategy.select(&Pool::counted(20), e, 2, &mut Streams::new(0).named("s")).unwrap();
            (picked.rows()[0].row(), picked.picks[0].reason.clone())
        };
        assert_ne!(run(&evidence, 0.055).0, 19, "without a label density alone counts");
        evidence.known.insert_bought(PoolIdx(5), ClassId(0));
        let (row, reason) = run(&evidence, 0.25);
        assert_eq!(row, 19);
        assert!(reason.contains("competence 1.000"), "{reason}");
        // a label that the model contradicts has no pure ball: nothing is covered
        evidence.known = hybridrepair_core::LabelSet::new();
        evidence.known.insert_bought(PoolIdx(5), ClassId(1));
        assert!(run(&evidence, 0.25).1.contains("competence 0.000"));
    }
}
