use crate::{Eval, Evaluator, Judged, Objective, PatchError, Search, Space, Trace, paired, search::judge};
use hybridrepair_core::Stream;

/// Share of what a search has gained that may be given up for a smaller patch.
const PRICE: f64 = 0.01;

/// Some of the weights of another evaluator; the others keep fixed values.
struct Part<'a> {
    whole: &'a dyn Evaluator,
    kept: &'a [usize],
    base: &'a [f32],
}

impl Evaluator for Part<'_> {
    fn dims(&self) -> usize {
        self.kept.len()
    }

    fn negatives(&self) -> usize {
        self.whole.negatives()
    }

    fn positives(&self) -> usize {
        self.whole.positives()
    }

    fn evaluate(&self, candidates: &[f32]) -> Result<Vec<Eval>, PatchError> {
        let each = candidates.chunks_exact(self.kept.len().max(1));
        self.whole.evaluate(&each.flat_map(|c| self.spread(c)).collect::<Vec<_>>())
    }

    fn each(&self, candidate: &[f32]) -> Result<Vec<Judged>, PatchError> {
        self.whole.each(&self.spread(candidate))
    }
}

impl Part<'_> {
    /// Values of all weights.
    fn spread(&self, candidate: &[f32]) -> Vec<f32> {
        let mut all = self.base.to_vec();
        self.kept.iter().zip(candidate).for_each(|(&k, &value)| all[k] = value);
        all
    }
}

/// Makes a patch smaller and then better: weights are put back to what they were, the one that costs least first, while all
/// of them together cost no more than [`PRICE`] of the gain; then what is left is searched again from where it stands.
/// A weight that a search has moved by chance would do harm on samples that it has not seen, and a patch of few weights is
/// easier to look at.
///
/// The result is never worse than `trace` by more than the price, nor worse than the model as it is.
///
/// # Errors
/// When a candidate cannot be judged, or a setting of the search is outside its range.
pub fn refine(
    evaluator: &dyn Evaluator,
    objective: &Objective,
    space: &Space,
    search: &dyn Search,
    trace: Trace,
    rng: &mut Stream,
) -> Result<Trace, PatchError> {
    let (as_is, _) = judge(evaluator, objective, &space.current)?[0];
    let gain = trace.score - as_is;
    if gain <= 0.0 {
        return Ok(trace);
    }
    let var = |n: &str, d: f64| std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d);
    let floor = trace.score - var("XP_PRICE", PRICE) * gain;
    let limit = var("XP_Z", 0.0);
    let refit = var("XP_REFIT", 0.0) > 0.0;
    let moved = |values: &[f32]| {
        let differs = |k: &usize| values[*k].to_bits() != space.current[*k].to_bits();
        (0..values.len()).filter(differs).collect::<Vec<_>>()
    };
    let n = evaluator.negatives();
    let reference = evaluator.each(&trace.values)?;
    let mut best = (trace.values.clone(), (trace.score, trace.eval));
    let mut evaluations = trace.evaluations;
    loop {
        let kept = moved(&best.0);
        if kept.len() < 2 {
            break;
        }
        let mut candidates = Vec::with_capacity(kept.len() * best.0.len());
        for &k in &kept {
            let from = candidates.len();
            candidates.extend_from_slice(&best.0);
            candidates[from + k] = space.current[k];
        }
        let scores = judge(evaluator, objective, &candidates)?;
        evaluations += scores.len();
        // the first of equal ones
        let Some(at) = (0..scores.len()).reduce(|a, b| if scores[b].0 > scores[a].0 { b } else { a }) else { break };
        let values = candidates[at * best.0.len()..][..best.0.len()].to_vec();
        let told = paired::standard_errors(objective.fitness, &reference, &evaluator.each(&values)?, n);
        if scores[at].0 < floor && !(scores[at].0 > as_is && told.is_some_and(|t| t < limit)) {
            break;
        }
        best = (values, scores[at]);
    }
    let mut steps = trace.steps;
    let mut again = |best: (Vec<f32>, (f64, Eval)), steps: &mut Vec<crate::Step>, evaluations: &mut usize| {
        let kept = moved(&best.0);
        let part = Part { whole: evaluator, kept: &kept, base: &best.0 };
        let here = Space {
            current: kept.iter().map(|&k| best.0[k]).collect(),
            layers: kept.iter().map(|&k| space.layers[k]).collect(),
        };
        let again = search.run(&part, &here, objective, rng)?;
        *evaluations += again.evaluations;
        steps.extend(again.steps.into_iter().map(|s| crate::Step { values: part.spread(&s.values), ..s }));
        let found = (part.spread(&again.values), (again.score, again.eval));
        Ok::<_, PatchError>(if found.1.0 > best.1.0 { found } else { best })
    };
    if !moved(&best.0).is_empty() {
        best = again(best, &mut steps, &mut evaluations)?;
    }
    while refit {
        let kept = moved(&best.0);
        if kept.len() < 2 {
            break;
        }
        let reference = evaluator.each(&best.0)?;
        let mut smaller: Option<(Vec<f32>, (f64, Eval))> = None;
        for &k in &kept {
            let mut values = best.0.clone();
            values[k] = space.current[k];
            let scored = judge(evaluator, objective, &values)?[0];
            let found = again((values, scored), &mut steps, &mut evaluations)?;
            if smaller.as_ref().is_none_or(|s| found.1.0 > s.1.0) {
                smaller = Some(found);
            }
        }
        let Some(smaller) = smaller else { break };
        let told = paired::standard_errors(objective.fitness, &reference, &evaluator.each(&smaller.0)?, n);
        if std::env::var("XP_SAY").is_ok() {
            eprintln!("refit {} -> {}: {:?} cost {:.4}", kept.len(), kept.len() - 1, told, (best.1.0 - smaller.1.0) / gain);
        }
        if !(smaller.1.0 > as_is && (told.is_some_and(|t| t < limit) || smaller.1.0 >= floor)) {
            break;
        }
        best = smaller;
    }
    let (values, (score, eval)) = best;
    Ok(Trace { values, score, eval, steps, evaluations })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fitness, Guard, LayerRange, Pso};
    use hybridrepair_core::Streams;

    /// Only the second of three weights matters: it should be 3.
    struct Second;

    impl Evaluator for Second {
        fn dims(&self) -> usize {
            3
        }
        fn negatives(&self) -> usize {
            1
        }
        fn positives(&self) -> usize {
            1
        }
        fn evaluate(&self, candidates: &[f32]) -> Result<Vec<Eval>, PatchError> {
            let eval = |v: &[f32]| Eval {
                right_pos: 1,
                soft_neg: f64::from(100.0 - (v[1] - 3.0).abs() - 1e-4 * v[0].abs()),
                ..Eval::default()
            };
            Ok(candidates.chunks_exact(3).map(eval).collect())
        }
        fn each(&self, v: &[f32]) -> Result<Vec<Judged>, PatchError> {
            let loss = f64::from((v[1] - 3.0).abs() + 1e-4 * v[0].abs());
            Ok(vec![Judged { right: false, loss }, Judged { right: true, loss: 0.0 }])
        }
    }

    #[test]
    fn idle_weights_are_put_back_and_the_rest_gets_better() {
        let layer = LayerRange { mean: 0.0, sd: 1.0, min: -4.0, max: 4.0 };
        let space = Space { current: vec![0.0, 0.5, -0.0], layers: vec![layer; 3] };
        let objective = Objective { fitness: Fitness::Soft { alpha: 1.0 }, guard: Guard::default() };
        let pso = Pso { particles: 30, iterations: 40, ..Pso::default() };
        let mut rng = Streams::new(1).named("refine");
        let first = pso.run(&Second, &space, &objective, &mut rng).unwrap();
        assert!(first.values[2].to_bits() != (-0.0f32).to_bits(), "the search moves idle weights");
        let evaluations = first.evaluations;
        let found = refine(&Second, &objective, &space, &pso, first.clone(), &mut rng).unwrap();
        assert_eq!((found.values[0].to_bits(), found.values[2].to_bits()), (0, (-0.0f32).to_bits()));
        assert!((found.values[1] - 3.0).abs() < 0.01 && found.score > first.score - 0.03, "{found:?}");
        assert!(found.evaluations > evaluations && found.steps.iter().all(|s| s.values.len() == 3));
        // nothing gained: nothing is touched
        let none = Trace { score: 97.5 - 1.0, ..first };
        assert_eq!(refine(&Second, &objective, &space, &pso, none.clone(), &mut rng).unwrap(), none);
    }
}
