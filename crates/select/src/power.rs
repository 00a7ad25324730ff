use crate::{Ranker, SelectError, Strategy, ranker};
use hybridrepair_core::{Embeddings, Evidence, Need, Needs, Pool, Probs, Selection, Stream};
use rand::Rng;

/// Samples drawn without replacement with probability proportional to `score^power` (stochastic batch acquisition:
/// Kirsch et al., TMLR 2023, "power"): less redundant than the top of a ranking.
///
/// The scores are those of any [`Ranker`] and count as 0 where they are below. Drawn as the largest
/// `ln(score) + Gumbel / power`, which is the same distribution (Kool et al., ICML 2019): one pass, and a smaller budget
/// gives the first picks of a larger one. Score: `score * exp(Gumbel / power)`.
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{Entropy, Power, Strategy};
/// let probs = Probs::new(ndarray::array![[1.0, 0.0], [0.5, 0.5], [1.0, 0.0]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let power = Power::of(Entropy);
/// let picked = power.select(&Pool::counted(3), &evidence, 1, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.picks[0].idx.row(), 1, "a certain answer has no chance");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Power<R> {
    /// What is raised to the power.
    pub ranker: R,
    /// Above 0: near 0 is a uniform draw, large is the ranking. Published default: 1.
    pub power: f64,
    name: String,
}

impl<R: Ranker> Power<R> {
    /// Power 1, under the name `power_` and that of the ranker.
    pub fn of(ranker: R) -> Self {
        let name = format!("power_{}", Ranker::name(&ranker));
        Self { ranker, power: 1.0, name }
    }
}

/// The squared length of the gradient embedding of BADGE, `|onehot(argmax p) - p|^2 |h|^2` with the penultimate features
/// `h` (Ash et al., ICLR 2020, eq. 1): how much a sample would move the last layer.
///
/// Its power variant `power_badge` draws every pick as BADGE's k-means++ would draw from the origin: by the squared
/// length, without looking at the other picks.
///
/// ```
/// use hybridrepair_core::{Embeddings, Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{GradientLength, Power, Strategy};
/// let evidence = Evidence {
///     probs: Some(Probs::new(ndarray::array![[1.0, 0.0], [0.5, 0.5]])?),
///     features: Some(Embeddings::new(ndarray::array![[9.0], [3.0]])?),
///     ..Evidence::default()
/// };
/// let rng = &mut Streams::new(0).named("select");
/// let picked = Power::of(GradientLength).select(&Pool::counted(2), &evidence, 1, rng)?;
/// assert_eq!(picked.picks[0].idx.row(), 1, "a certain answer has no gradient, however large its features");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GradientLength;

impl Ranker for GradientLength {
    type On<'e> = (&'e Probs, &'e Embeddings);

    fn name(&self) -> &'static str {
        "badge"
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs, Need::Features])
    }

    fn on<'e>(&self, evidence: &'e Evidence) -> Option<Self::On<'e>> {
        evidence.probs.as_ref().zip(evidence.features.as_ref())
    }

    fn score(&self, (probs, features): &Self::On<'_>, row: usize) -> f64 {
        let p = probs.row(row);
        let top = probs.top1(row).column();
        let error = |(c, &p): (usize, &f32)| (f64::from(u8::from(c == top)) - f64::from(p)).powi(2);
        let features = features.row(row);
        p.iter().enumerate().map(error).sum::<f64>() * crate::vector::dot(features, features)
    }

    fn reason(&self, on: &Self::On<'_>, row: usize) -> String {
        format!("gradient {:.4}; predicted class {}", self.score(on, row).sqrt(), on.0.top1(row))
    }
}

impl<R: Ranker> Strategy for Power<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        Ranker::needs(&self.ranker)
    }

    fn select(
        &self,
        pool: &Pool,
        evidence: &Evidence,
        budget: usize,
        rng: &mut Stream,
    ) -> Result<Selection, SelectError> {
        let (candidates, on) = ranker::open(self, &self.ranker, pool, evidence, budget)?;
        if !(self.power > 0.0 && self.power.is_finite()) {
            let why = "is not above 0 and finite";
            return Err(SelectError::parameter(self, "power", self.power, why));
        }
        let scores = candidates.score(|row| self.ranker.score(&on, row));
        let keys = scores.iter().map(|score| {
            let uniform = 1.0 - rng.r#gen::<f64>();
            let gumbel = -(-uniform.ln()).max(f64::MIN_POSITIVE).ln();
            // below 0 by rounding only
            (score.max(0.0).ln() + gumbel / self.power).min(700.0).exp()
        });
        let keys: Vec<f64> = keys.collect();
        Ok(candidates.best(&keys, |row| format!("drawn by its {}", self.ranker.reason(&on, row))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gini;
    use hybridrepair_core::Streams;
    use ndarray::array;

    #[test]
    fn draws_follow_the_doubt() {
        // gini: 0.5, 0.375, 0
        let probs = Probs::new(array![[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]]).unwrap();
        let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
        for power in [1.0, 3.0] {
            let strategy = Power { power, ..Power::of(Gini) };
            let first = |step| {
                let rng = &mut Streams::new(2).at("power", 0, step);
                strategy.select(&Pool::counted(3), &evidence, 1, rng).unwrap().rows()[0].row()
            };
            let zero = (0..10_000).filter(|&step| first(step) == 0).count() as f64 / 10_000.0;
            let want = 0.5f64.powf(power) / (0.5f64.powf(power) + 0.375f64.powf(power));
            assert!((zero - want).abs() < 0.02, "{zero} {want}");
        }
    }

    #[test]
    fn an_impossible_power_is_refused() {
        let evidence = Evidence { probs: Some(Probs::new(array![[1.0]]).unwrap()), ..Evidence::default() };
        for power in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let strategy = Power { power, ..Power::of(Gini) };
            let error = strategy.select(&Pool::counted(1), &evidence, 1, &mut Streams::new(0).named("s")).unwrap_err();
            assert!(matches!(error, SelectError::Parameter { .. }));
        }
    }
}
