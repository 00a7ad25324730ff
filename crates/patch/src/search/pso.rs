use super::{Best, Draws, Search, Space, Step, Trace, judge, pso_published::constriction, stagnates};
use crate::{Evaluator, Objective, PatchError};

/// Particle swarm in its standard form (Clerc and Kennedy 2002), with the model as it is among the particles, so that the
/// result is never worse: a random factor per dimension, both accelerations together 4.1, no lower limit of speed, and
/// positions reflected at half a layer's range beyond its smallest and largest weight.
#[derive(Clone, Copy, Debug)]
pub struct Pso {
    /// Size of the swarm, the model as it is counted.
    pub particles: usize,
    /// Most iterations.
    pub iterations: usize,
    /// Spread of the start in standard deviations of the layer's weights.
    pub spread: f64,
    /// Iterations without improvement after which it stops.
    pub window: usize,
}

impl Default for Pso {
    fn default() -> Self {
        Self { particles: 100, iterations: 50, spread: 1.0, window: 10 }
    }
}

impl Search for Pso {
    fn name(&self) -> &'static str {
        "pso"
    }

    fn run(
        &self,
        evaluator: &dyn Evaluator,
        space: &Space,
        objective: &Objective,
        draws: &mut dyn Draws,
    ) -> Result<Trace, PatchError> {
        let k = space.dims();
        let bounds = |d: usize| {
            let layer = &space.layers[d];
            let half = layer.width() / 2.0;
            // the current value is inside, wherever it lies
            let here = f64::from(space.current[d]);
            ((layer.min - half).min(here), (layer.max + half).max(here))
        };
        let bounds = (0..k).map(bounds).collect::<Vec<_>>();
        let mut positions = space.current.clone();
        for _ in 1..self.particles.max(1) {
            for ((&here, layer), &bounds) in space.current.iter().zip(&space.layers).zip(&bounds) {
                let drawn = f64::from(here) + self.spread * layer.sd * draws.normal();
                positions.push(reflected(drawn, bounds) as f32);
            }
        }
        let mut velocities = vec![0.0f64; positions.len()];
        let scores = judge(evaluator, objective, &positions)?;
        let mut own = positions.clone();
        let mut own_scores = scores.iter().map(|s| s.0).collect::<Vec<_>>();
        let mut best = Best::none(k);
        for (values, &scored) in positions.chunks_exact(k).zip(&scores) {
            best.offer(values, scored);
        }
        let mut steps = vec![Step { best: best.score, current: best.score, values: best.values.clone() }];
        let chi = constriction(4.1);
        for _ in 0..self.iterations {
            for (at, v) in velocities.iter_mut().enumerate() {
                let d = at % k;
                let here = f64::from(positions[at]);
                let (r1, r2) = (2.05 * draws.uniform(), 2.05 * draws.uniform());
                let pull = r1 * (f64::from(own[at]) - here) + r2 * (f64::from(best.values[d]) - here);
                let limit = space.layers[d].width();
                *v = (chi * (*v + pull)).clamp(-limit, limit);
                positions[at] = reflected(here + *v, bounds[d]) as f32;
            }
            let scores = judge(evaluator, objective, &positions)?;
            let mut current = f64::NEG_INFINITY;
            for (i, (values, &scored)) in positions.chunks_exact(k).zip(&scores).enumerate() {
                current = current.max(scored.0);
                if scored.0 > own_scores[i] {
                    own_scores[i] = scored.0;
                    own[i * k..(i + 1) * k].copy_from_slice(values);
                }
                best.offer(values, scored);
            }
            steps.push(Step { best: best.score, current, values: best.values.clone() });
            if stagnates(&steps, self.window) {
                break;
            }
        }
        let evaluations = self.particles.max(1) * steps.len();
        Ok(best.trace(steps, evaluations))
    }
}

/// Thrown back at the nearer bound, at most to the other one.
fn reflected(x: f64, (lo, hi): (f64, f64)) -> f64 {
    if x < lo {
        (2.0 * lo - x).min(hi)
    } else if x > hi {
        (2.0 * hi - x).max(lo)
    } else {
        x
    }
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

    #[test]
    fn positions_stay_inside() {
        let b = (-1.0, 2.0);
        assert_eq!(reflected(0.5, b), 0.5);
        assert_eq!(reflected(-1.5, b), -0.5);
        assert_eq!(reflected(2.25, b), 1.75);
        assert_eq!((reflected(-100.0, b), reflected(100.0, b)), (2.0, -1.0));
    }

    #[test]
    fn two_generations_by_hand() {
        let space = Space { current: vec![1.0], layers: vec![LayerRange { mean: 0.0, sd: 2.0, min: -1.0, max: 1.0 }] };
        let objective = Objective { fitness: Fitness::Soft { alpha: 1.0 }, guard: Guard::default() };
        // the second particle begins at 1 - 2; then two draws for each of both, which pull to its own best and to all's
        let script = [&[-1.0][..], &[0.3, 0.6, 0.9, 0.5], &[0.1, 0.2, 0.7, 0.4]].concat();
        let pso = Pso { particles: 2, iterations: 2, ..Pso::default() };
        let trace = pso.run(&Near, &space, &objective, &mut Script(script)).unwrap();
        let chi = 0.729_843_788_128_357_6;
        // the first is the model as it is and the best: nothing pulls it
        let speed = chi * 2.05 * 0.5 * 2.0;
        let place = -1.0 + speed;
        assert!((trace.steps[1].current - 98.0).abs() < 1e-12 && trace.steps[1].best == 98.0);
        let place = place + chi * (speed + 2.05 * 0.4 * (1.0 - place));
        assert!((f64::from(trace.values[0]) - place).abs() < 1e-6, "{trace:?} instead of {place}");
        assert!((trace.score - (97.0 + place)).abs() < 1e-6);
        assert_eq!(trace.evaluations, 6);
    }
}
