use crate::{
    Eval, Evaluator, Fitness, Judged, Objective, PatchError, Search, Space, Step, Trace, paired::standard_errors,
    search::judge,
};
use hybridrepair_core::Stream;

/// Share of what a search has gained that may be given up for a smaller patch.
const PRICE: f64 = 0.01;
/// Standard errors of the paired difference by which a patch must do better than a smaller one: a one-sided test at 5 %.
const ERRORS: f64 = 1.645;
/// The same for faults.
const FAULT_ERRORS: f64 = 3.0;

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

/// Values of all weights, their score, and what they do.
type Scored = (Vec<f32>, (f64, Eval));

/// Makes a patch smaller and then better. Weights are put back to what they were, the one that costs least first, while all
/// of them together cost no more than [`PRICE`] of the gain, or the samples cannot tell that the patch has become worse (a
/// paired test, [`ERRORS`]). What is left is searched again from where it stands, and then the same once more, with a search
/// after each weight. A weight that a search has moved by chance would do harm on samples that it has not seen, and a patch of
/// few weights is easier to look at.
///
/// Under [`Fitness::Likelihood`], which is for faults, the test is stricter ([`FAULT_ERRORS`]): a layer is never the most
/// likely one for the samples of a repair, so any weight that is free to move finds something to improve, and that is no
/// fault. [`Fitness::Ratio`] is no sum over samples and knows the price alone.
///
/// The result is never worse than the model as it is.
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
    let Trace { values, score, eval, steps, evaluations } = trace;
    let mut work = Refinement { evaluator, objective, space, search, as_is, steps, evaluations };
    let floor = score - PRICE * gain;
    let whole = (values, (score, eval));
    let mut best = whole.clone();
    while let Some(smaller) = work.without_cheapest(&best)? {
        if smaller.1.0 < floor && !work.is_chance(&whole, &smaller)? {
            break;
        }
        best = smaller;
    }
    best = work.again(best, rng)?;
    let whole = best.clone();
    // a ratio is no sum over samples: the price above was all that speaks
    while objective.fitness != Fitness::Ratio
        && let Some(smaller) = work.without_cheapest(&best)?
    {
        let smaller = work.again(smaller, rng)?;
        if !work.is_chance(&whole, &smaller)? {
            break;
        }
        best = smaller;
    }
    let (values, (score, eval)) = best;
    Ok(Trace { values, score, eval, steps: work.steps, evaluations: work.evaluations })
}

/// A patch that is being made smaller.
struct Refinement<'a> {
    evaluator: &'a dyn Evaluator,
    objective: &'a Objective,
    space: &'a Space,
    search: &'a dyn Search,
    as_is: f64,
    steps: Vec<Step>,
    evaluations: usize,
}

impl Refinement<'_> {
    /// Weights that are not as they were.
    fn moved(&self, values: &[f32]) -> Vec<usize> {
        let differs = |k: &usize| values[*k].to_bits() != self.space.current[*k].to_bits();
        (0..values.len()).filter(differs).collect()
    }

    /// One moved weight put back, so that the score is highest; none where only one has moved.
    fn without_cheapest(&mut self, best: &Scored) -> Result<Option<Scored>, PatchError> {
        let moved = self.moved(&best.0);
        if moved.len() < 2 {
            return Ok(None);
        }
        let mut candidates = Vec::with_capacity(moved.len() * best.0.len());
        for &k in &moved {
            let from = candidates.len();
            candidates.extend_from_slice(&best.0);
            candidates[from + k] = self.space.current[k];
        }
        let scores = judge(self.evaluator, self.objective, &candidates)?;
        self.evaluations += scores.len();
        // the first of equal ones
        let cheapest = (0..scores.len()).reduce(|a, b| if scores[b].0 > scores[a].0 { b } else { a });
        Ok(cheapest.map(|at| (candidates[at * best.0.len()..][..best.0.len()].to_vec(), scores[at])))
    }

    /// Whether the samples cannot tell that the larger patch is better, though the smaller one is better than none.
    fn is_chance(&self, larger: &Scored, smaller: &Scored) -> Result<bool, PatchError> {
        if smaller.1.0 <= self.as_is {
            return Ok(false);
        }
        let fitness = self.objective.fitness;
        let limit = if fitness == Fitness::Likelihood { FAULT_ERRORS } else { ERRORS };
        let (a, b) = (self.evaluator.each(&larger.0)?, self.evaluator.each(&smaller.0)?);
        Ok(standard_errors(fitness, &a, &b, self.evaluator.negatives()).is_some_and(|t| t < limit))
    }

    /// The moved weights searched again, from where they stand.
    fn again(&mut self, best: Scored, rng: &mut Stream) -> Result<Scored, PatchError> {
        let kept = self.moved(&best.0);
        if kept.is_empty() {
            return Ok(best);
        }
        let part = Part { whole: self.evaluator, kept: &kept, base: &best.0 };
        let here = Space {
            current: kept.iter().map(|&k| best.0[k]).collect(),
            layers: kept.iter().map(|&k| self.space.layers[k]).collect(),
        };
        let again = self.search.run(&part, &here, self.objective, rng)?;
        self.evaluations += again.evaluations;
        self.steps.extend(again.steps.into_iter().map(|s| Step { values: part.spread(&s.values), ..s }));
        let better = again.score > best.1.0;
        Ok(if better { (part.spread(&again.values), (again.score, again.eval)) } else { best })
    }
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
        fn each(&self, _: &[f32]) -> Result<Vec<Judged>, PatchError> {
            Ok(vec![Judged { right: true, loss: 0.0 }; 2])
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

    /// A hundred samples. The first weight should be 3; the second helps some of them and harms others, on balance a little.
    struct Chance;

    impl Chance {
        fn losses(v: &[f32]) -> Vec<f64> {
            let (a, b) = (f64::from(v[0]), f64::from(v[1]));
            (0..100).map(|i| 1.0 + (a - 3.0).abs() + 0.5 * b * b - b * if i % 20 < 11 { 1.0 } else { -1.0 }).collect()
        }
    }

    impl Evaluator for Chance {
        fn dims(&self) -> usize {
            2
        }
        fn negatives(&self) -> usize {
            50
        }
        fn positives(&self) -> usize {
            50
        }
        fn evaluate(&self, candidates: &[f32]) -> Result<Vec<Eval>, PatchError> {
            let eval = |v: &[f32]| {
                let loss = Self::losses(v);
                let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
                Eval { loss_neg: mean(&loss[..50]), loss_pos: mean(&loss[50..]), ..Eval::default() }
            };
            Ok(candidates.chunks_exact(2).map(eval).collect())
        }
        fn each(&self, v: &[f32]) -> Result<Vec<Judged>, PatchError> {
            Ok(Self::losses(v).into_iter().map(|loss| Judged { right: false, loss }).collect())
        }
    }

    #[test]
    fn a_weight_that_earns_no_more_than_chance_is_no_fault() {
        let layer = LayerRange { mean: 0.0, sd: 1.0, min: -4.0, max: 4.0 };
        let space = Space { current: vec![2.5, 0.0], layers: vec![layer; 2] };
        let objective = Objective { fitness: Fitness::Likelihood, guard: Guard::default() };
        let pso = Pso { particles: 40, iterations: 60, ..Pso::default() };
        let mut rng = Streams::new(1).named("refine");
        let first = pso.run(&Chance, &space, &objective, &mut rng).unwrap();
        // 55 of 100 are helped: at 0.1 the loss falls by 0.005, which is more than a hundredth of 0.5, and half a standard error
        assert!((first.values[1] - 0.1).abs() < 0.02, "{:?}", first.values);
        let found = refine(&Chance, &objective, &space, &pso, first, &mut rng).unwrap();
        assert_eq!(found.values[1].to_bits(), 0, "{:?}", found.values);
        assert!((found.values[0] - 3.0).abs() < 0.01);
    }
}
