//! New values for some weights.

mod de;
mod draws;
mod pso;
mod pso_published;
#[cfg(test)]
mod scripted;
mod space;
mod sweep;

use crate::{Eval, Evaluator, Objective, PatchError};
pub use de::DifferentialEvolution;
pub use draws::Draws;
pub use pso::Pso;
pub use pso_published::{PsoPublished, Start, Swarm};
use serde::Serialize;
pub use space::{LayerRange, Space};
use std::fmt::Debug;
pub use sweep::Sweep;

/// One iteration of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Best score so far.
    pub best: f64,
    /// Best score among the candidates of this iteration.
    pub current: f64,
    /// The best values so far.
    pub values: Vec<f32>,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// The best values.
    pub values: Vec<f32>,
    /// Their score.
    pub score: f64,
    /// What they do.
    pub eval: Eval,
    /// Every iteration, the start first.
    pub steps: Vec<Step>,
    /// Candidates that were judged.
    pub evaluations: usize,
}

/// Finds new values for weights.
pub trait Search: Debug + Send + Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Searches from the current values.
    ///
    /// # Errors
    /// When a setting is outside its range or a candidate cannot be judged.
    fn run(
        &self,
        evaluator: &dyn Evaluator,
        space: &Space,
        objective: &Objective,
        draws: &mut dyn Draws,
    ) -> Result<Trace, PatchError>;
}

/// A search by name with its default settings and this size: candidates per iteration, and iterations.
///
/// # Errors
/// Lists the known names.
pub fn search(name: &str, population: usize, iterations: usize) -> Result<Box<dyn Search>, PatchError> {
    if population < 4 || iterations == 0 {
        let given = format!("{population} x {iterations}");
        return Err(PatchError::setting("search of", given, "is too small: at least 4 candidates and 1 iteration"));
    }
    Ok(match name {
        "pso" => Box::new(Pso { particles: population, iterations, ..Pso::default() }),
        "pso-published" => Box::new(PsoPublished { particles: population, iterations, ..PsoPublished::default() }),
        "de" => Box::new(DifferentialEvolution { population, generations: iterations, identity: true }),
        "de-published" => Box::new(DifferentialEvolution { population, generations: iterations, identity: false }),
        "sweep" => Box::new(Sweep { steps: population * iterations }),
        other => {
            let known = "pso, pso-published, de, de-published, sweep";
            return Err(PatchError::setting("search", format!("{other:?}"), format!("is none of {known}")));
        }
    })
}

/// Scores of candidates, with the evaluations that they come from.
pub(crate) fn judge(
    evaluator: &dyn Evaluator,
    objective: &Objective,
    candidates: &[f32],
) -> Result<Vec<(f64, Eval)>, PatchError> {
    let (n, m) = (evaluator.negatives(), evaluator.positives());
    Ok(evaluator.evaluate(candidates)?.into_iter().map(|e| (objective.score(&e, n, m), e)).collect())
}

/// The best so far; a later candidate must be strictly better.
#[derive(Clone, Debug)]
pub(crate) struct Best {
    pub(crate) values: Vec<f32>,
    pub(crate) score: f64,
    pub(crate) eval: Eval,
}

impl Best {
    pub(crate) fn none(dims: usize) -> Self {
        Self { values: vec![0.0; dims], score: f64::NEG_INFINITY, eval: Eval::default() }
    }

    pub(crate) fn offer(&mut self, values: &[f32], (score, eval): (f64, Eval)) {
        if score > self.score {
            *self = Self { values: values.to_vec(), score, eval };
        }
    }

    pub(crate) fn trace(self, steps: Vec<Step>, evaluations: usize) -> Trace {
        Trace { values: self.values, score: self.score, eval: self.eval, steps, evaluations }
    }
}

/// Whether the best score has not risen within the last `window` iterations; `steps` begins with the start.
pub(crate) fn stagnates(steps: &[Step], window: usize) -> bool {
    let t = steps.len().saturating_sub(1);
    t > window && steps[t].best <= steps[t - window].best
}
