use super::{Best, Draws, Search, Space, Step, Trace, judge};
use crate::{Evaluator, Objective, PatchError};

/// Chance that a dimension is taken from the mutant.
const CROSSOVER: f64 = 0.7;

/// Differential evolution as published for Arachne v2 (TOSEM 32(4), section 3.4): `a + MU (b - c)` with one factor per
/// generation, binomial crossover, and an individual replaced at once by a child that is at least as good.
#[derive(Clone, Copy, Debug)]
pub struct DifferentialEvolution {
    /// Individuals.
    pub population: usize,
    /// Most generations.
    pub generations: usize,
    /// Whether the first individual is the model as it is. The published search starts from the layer's mean alone, so
    /// that its result may be worse than no repair.
    pub identity: bool,
}

impl Search for DifferentialEvolution {
    fn name(&self) -> &'static str {
        if self.identity { "de" } else { "de-published" }
    }

    fn run(
        &self,
        evaluator: &dyn Evaluator,
        space: &Space,
        objective: &Objective,
        draws: &mut dyn Draws,
    ) -> Result<Trace, PatchError> {
        let k = space.dims();
        let n = self.population;
        if n < 4 {
            return Err(PatchError::setting("population", n, "is below 4: three others make a child"));
        }
        let bounds = space
            .layers
            .iter()
            .map(|l| {
                let lo = if l.min < 0.0 { 2.0 * l.min } else { l.min / 2.0 };
                (lo, if l.max > 0.0 { 2.0 * l.max } else { l.max / 2.0 })
            })
            .collect::<Vec<_>>();
        let mut people = Vec::with_capacity(n * k);
        for _ in 0..n {
            people.extend(space.layers.iter().map(|l| (l.mean + l.sd * draws.normal()) as f32));
        }
        if self.identity {
            people[..k].copy_from_slice(&space.current);
        }
        let start = judge(evaluator, objective, &people)?;
        let mut scores = start.iter().map(|s| s.0).collect::<Vec<_>>();
        let mut best = Best::none(k);
        for (values, &scored) in people.chunks_exact(k).zip(&start) {
            best.offer(values, scored);
        }
        let mut steps = vec![Step { best: best.score, current: best.score, values: best.values.clone() }];
        let patience = (self.generations / 10).max(10);
        let mut unchanged = 0;
        for _ in 0..self.generations {
            let mu = 0.5 + 0.5 * draws.uniform();
            let before = best.score;
            let mut current = f64::NEG_INFINITY;
            for i in 0..n {
                let [a, b, c] = three_others(n, i, draws);
                let forced = draws.below(k);
                let mut child = people[i * k..(i + 1) * k].to_vec();
                for d in 0..k {
                    // one draw per dimension, forced or not
                    let drawn = draws.uniform() < CROSSOVER;
                    if drawn || d == forced {
                        let of = |who: usize| f64::from(people[who * k + d]);
                        child[d] = (of(a) + mu * (of(b) - of(c))).clamp(bounds[d].0, bounds[d].1) as f32;
                    }
                }
                let scored = judge(evaluator, objective, &child)?[0];
                current = current.max(scored.0);
                if scored.0 >= scores[i] {
                    scores[i] = scored.0;
                    people[i * k..(i + 1) * k].copy_from_slice(&child);
                }
                best.offer(&child, scored);
            }
            steps.push(Step { best: best.score, current, values: best.values.clone() });
            // in single precision, as published
            unchanged = if best.score as f32 > before as f32 { 0 } else { unchanged + 1 };
            if unchanged > patience {
                break;
            }
        }
        let evaluations = n * steps.len();
        Ok(best.trace(steps, evaluations))
    }
}

/// Three different individuals other than `i`.
fn three_others(n: usize, i: usize, draws: &mut dyn Draws) -> [usize; 3] {
    let mut taken = [i; 3];
    for slot in 0..3 {
        taken[slot] = loop {
            let drawn = draws.below(n);
            if drawn != i && !taken[..slot].contains(&drawn) {
                break drawn;
            }
        };
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Fitness, Guard,
        search::{
            LayerRange,
            scripted::{Near, Script},
        },
    };
    use hybridrepair_core::Streams;

    #[test]
    fn a_generation_by_hand() {
        let space = Space { current: vec![1.0], layers: vec![LayerRange { mean: 0.0, sd: 2.0, min: -1.0, max: 1.0 }] };
        let objective = Objective { fitness: Fitness::Soft { alpha: 1.0 }, guard: Guard::default() };
        let start = [0.9, -0.5, 0.25, 0.0];
        // MU = .5 + .5 * .5; then three others, the forced dimension and the crossover's draw for each of four
        let draws = [
            &[0.5][..],
            // -1 + .75 (.5 - 0) = -.625: 96.375 is below the model's 98
            &[0.3, 0.6, 0.8, 0.0, 0.9],
            // itself and one twice are drawn again: 1 + .75 (.5 - 0) = 1.375, at once in place of -1
            &[0.1, 0.3, 0.6, 0.1, 0.8, 0.0, 0.9],
            // 1.375 + .75 (1 - 0) = 2.125, cut at twice the layer's largest weight
            &[0.3, 0.1, 0.8, 0.0, 0.9],
            // 2 + .75 (1 - 1.375) = 1.71875
            &[0.6, 0.1, 0.3, 0.0, 0.9],
        ];
        let script = start.into_iter().chain(draws.concat()).collect::<Vec<_>>();
        let de = DifferentialEvolution { population: 4, generations: 1, identity: true };
        let trace = de.run(&Near, &space, &objective, &mut Script(script)).unwrap();
        assert_eq!((trace.values[0], trace.score, trace.evaluations), (2.0, 99.0, 8));
        assert_eq!((trace.steps[0].best, trace.steps[1].current), (98.0, 99.0));
    }

    #[test]
    fn the_others_are_different() {
        let mut rng = Streams::new(0).named("de");
        for i in 0..4 {
            for _ in 0..50 {
                let [a, b, c] = three_others(4, i, &mut rng);
                assert!(a != b && b != c && a != c && ![a, b, c].contains(&i));
            }
        }
    }
}
