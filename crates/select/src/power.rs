use crate::candidates::{Candidates, required};
use crate::{SelectError, Strategy};
use hybridrepair_core::{Evidence, Need, Needs, Pool, Probs, Selection, Stream};
use rand::Rng;

/// What a model's probabilities say about its doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Shannon entropy in bits.
    Entropy,
    /// 1 - margin of the two most probable classes.
    Margin,
    /// Gini impurity.
    Gini,
}

impl Doubt {
    fn of(self, probs: &Probs, row: usize) -> f64 {
        match self {
            Self::Entropy => probs.entropy(row),
            Self::Gini => probs.gini(row),
            Self::Margin => {
                let [(_, first), (_, second)] = probs.top2(row);
                1.0 - (f64::from(first) - f64::from(second))
            }
        }
    }
}

/// Samples drawn without replacement with probability proportional to `doubt^power` (stochastic batch acquisition:
/// Kirsch et al., TMLR 2023, "power"): less redundant than the top of a ranking.
///
/// Drawn as the largest `ln(doubt) + Gumbel / power`, which is the same distribution (Kool et al., ICML 2019): one pass,
/// and a smaller budget gives the first picks of a larger one. Score: `doubt * exp(Gumbel / power)`.
///
/// ```
/// use hybridrepair_core::{Evidence, Pool, Probs, Streams};
/// use hybridrepair_select::{Doubt, Power, Strategy};
/// let probs = Probs::new(ndarray::array![[1.0, 0.0], [0.5, 0.5], [1.0, 0.0]])?;
/// let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
/// let power = Power { doubt: Doubt::Entropy, power: 1.0 };
/// let picked = power.select(&Pool::counted(3), &evidence, 1, &mut Streams::new(0).named("select"))?;
/// assert_eq!(picked.picks[0].idx.row(), 1, "a certain answer has no chance");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Power {
    /// What is raised to the power.
    pub doubt: Doubt,
    /// Above 0: near 0 is a uniform draw, large is the ranking. Published default: 1.
    pub power: f64,
}

impl Strategy for Power {
    fn name(&self) -> &'static str {
        match self.doubt {
            Doubt::Entropy => "power_entropy",
            Doubt::Margin => "power_margin",
            Doubt::Gini => "power_gini",
        }
    }

    fn needs(&self) -> Needs {
        Needs::of(&[Need::Probs])
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
        if !(self.power > 0.0 && self.power.is_finite()) {
            let why = "is not above 0 and finite";
            return Err(SelectError::Parameter { strategy: self.name(), parameter: "power", value: self.power, why });
        }
        let doubts = candidates.score(|row| self.doubt.of(probs, row));
        // doubt below 0 by rounding only
        let keys = doubts.iter().map(|doubt| {
            let uniform = 1.0 - rng.r#gen::<f64>();
            let gumbel = -(-uniform.ln()).max(f64::MIN_POSITIVE).ln();
            (doubt.max(0.0).ln() + gumbel / self.power).min(700.0).exp()
        });
        let keys: Vec<f64> = keys.collect();
        Ok(candidates.best(&keys, |row| format!("drawn by its doubt of {:.3}", self.doubt.of(probs, row))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_core::Streams;
    use ndarray::array;

    #[test]
    fn draws_follow_the_doubt() {
        // gini: 0.5, 0.375, 0
        let probs = Probs::new(array![[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]]).unwrap();
        let evidence = Evidence { probs: Some(probs), ..Evidence::default() };
        for power in [1.0, 3.0] {
            let strategy = Power { doubt: Doubt::Gini, power };
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
            let strategy = Power { doubt: Doubt::Gini, power };
            let error = strategy.select(&Pool::counted(1), &evidence, 1, &mut Streams::new(0).named("s")).unwrap_err();
            assert!(matches!(error, SelectError::Parameter { .. }));
        }
    }
}
