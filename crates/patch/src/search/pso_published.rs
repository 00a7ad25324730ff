use super::{Best, Draws, Search, Space, Step, Trace, judge, stagnates};
use crate::{Evaluator, Objective, PatchError};

/// Around what the swarm starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The current value of each weight (the published experiment).
    Current,
    /// The mean of the layer's weights (the paper and the toolkit).
    LayerMean,
}

/// Particle swarm as published for Arachne v1, with what is peculiar to it: the first sweep does not move, speeds never
/// fall below a fifth of the layer's range, one pair of random factors serves all dimensions, each of them up to the
/// whole `phi`, and the model as it is does not take part, so that the result may be worse.
#[derive(Clone, Copy, Debug)]
pub struct PsoPublished {
    /// Size of the swarm.
    pub particles: usize,
    /// Most iterations.
    pub iterations: usize,
    /// Acceleration; above 4.
    pub phi: f64,
    /// Iterations without improvement after which it stops.
    pub window: usize,
    /// Where it starts.
    pub start: Start,
}

impl Default for PsoPublished {
    fn default() -> Self {
        Self { particles: 100, iterations: 50, phi: 4.1, window: 10, start: Start::Current }
    }
}

/// A swarm between two sweeps, particle after particle.
#[derive(Clone, Debug, PartialEq)]
pub struct Swarm {
    /// Positions, `particles x dims`.
    pub positions: Vec<f32>,
    /// Velocities, `particles x dims`.
    pub velocities: Vec<f64>,
    /// Best position of each particle.
    pub best: Vec<f32>,
    /// Score of each best position.
    pub best_scores: Vec<f64>,
}

/// Constriction factor of Clerc and Kennedy (2002): 0.7298 for `phi` 4.1.
pub(super) fn constriction(phi: f64) -> f64 {
    2.0 / (phi - 2.0 + (phi * phi - 4.0 * phi).sqrt())
}

impl PsoPublished {
    fn start(&self, space: &Space, draws: &mut dyn Draws) -> Vec<f32> {
        let mut positions = Vec::with_capacity(self.particles * space.dims());
        for _ in 0..self.particles {
            for (layer, &value) in space.layers.iter().zip(&space.current) {
                let mean = if self.start == Start::Current { f64::from(value) } else { layer.mean };
                positions.push((mean + layer.sd * draws.normal()) as f32);
            }
        }
        positions
    }

    /// Moves every particle by its velocity, then gives it a new one.
    fn sweep(&self, swarm: &mut Swarm, leader: &[f32], space: &Space, draws: &mut dyn Draws) {
        let (k, chi) = (space.dims(), constriction(self.phi));
        for particle in 0..self.particles {
            let at = particle * k..(particle + 1) * k;
            let (r1, r2) = (self.phi * draws.uniform(), self.phi * draws.uniform());
            let own = &swarm.best[at.clone()];
            let moved = swarm.positions[at.clone()].iter_mut().zip(&mut swarm.velocities[at]);
            for (((p, v), (&own, &leader)), layer) in moved.zip(own.iter().zip(leader)).zip(&space.layers) {
                *p = (f64::from(*p) + *v) as f32;
                let here = f64::from(*p);
                let speed = chi * (*v + r1 * (f64::from(own) - here) + r2 * (f64::from(leader) - here));
                let limit = layer.width();
                *v = speed.signum() * speed.abs().clamp(limit / 5.0, 5.0 * limit);
            }
        }
    }
}

impl Search for PsoPublished {
    fn name(&self) -> &'static str {
        "pso-published"
    }

    fn run(
        &self,
        evaluator: &dyn Evaluator,
        space: &Space,
        objective: &Objective,
        draws: &mut dyn Draws,
    ) -> Result<Trace, PatchError> {
        if !(self.phi > 4.0 && self.phi.is_finite()) {
            return Err(PatchError::setting("phi", self.phi, "is not above 4"));
        }
        let k = space.dims();
        let positions = self.start(space, draws);
        let scores = judge(evaluator, objective, &positions)?;
        let mut best = Best::none(k);
        for (values, &scored) in positions.chunks_exact(k).zip(&scores) {
            best.offer(values, scored);
        }
        let mut swarm = Swarm {
            velocities: vec![0.0; positions.len()],
            best: positions.clone(),
            best_scores: scores.iter().map(|s| s.0).collect(),
            positions,
        };
        let mut steps = vec![Step { best: best.score, current: best.score, values: best.values.clone() }];
        for _ in 0..self.iterations {
            let leader = best.values.clone();
            self.sweep(&mut swarm, &leader, space, draws);
            let scores = judge(evaluator, objective, &swarm.positions)?;
            let mut current = f64::NEG_INFINITY;
            for (i, (values, &scored)) in swarm.positions.chunks_exact(k).zip(&scores).enumerate() {
                current = current.max(scored.0);
                if scored.0 > swarm.best_scores[i] {
                    swarm.best_scores[i] = scored.0;
                    swarm.best[i * k..(i + 1) * k].copy_from_slice(values);
                }
                best.offer(values, scored);
            }
            steps.push(Step { best: best.score, current, values: best.values.clone() });
            if stagnates(&steps, self.window) {
                break;
            }
        }
        let evaluations = self.particles * steps.len();
        Ok(best.trace(steps, evaluations))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Eval, Fitness, Guard, search::space::LayerRange};

    /// Random numbers written down.
    struct Script(Vec<f64>);

    impl Draws for Script {
        fn normal(&mut self) -> f64 {
            self.0.remove(0)
        }
        fn uniform(&mut self) -> f64 {
            self.0.remove(0)
        }
    }

    /// Score: minus the distance from 3, made positive.
    struct Near(f32);

    impl Evaluator for Near {
        fn dims(&self) -> usize {
            1
        }
        fn negatives(&self) -> usize {
            1
        }
        fn positives(&self) -> usize {
            1
        }
        fn evaluate(&self, candidates: &[f32]) -> Result<Vec<Eval>, PatchError> {
            let eval =
                |v: &f32| Eval { right_pos: 1, soft_neg: f64::from(100.0 - (v - self.0).abs()), ..Eval::default() };
            Ok(candidates.iter().map(eval).collect())
        }
        fn each(&self, _: &[f32]) -> Result<Vec<crate::Judged>, PatchError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn two_generations_by_hand() {
        let space = Space { current: vec![1.0], layers: vec![LayerRange { mean: 0.0, sd: 2.0, min: -1.0, max: 1.0 }] };
        let pso = PsoPublished { particles: 2, iterations: 2, ..PsoPublished::default() };
        let objective = Objective { fitness: Fitness::Soft { alpha: 1.0 }, guard: Guard::default() };
        // start: 1 + 2 * 0.5 = 2 and 1 - 2 * 0.5 = 0; the leader is at 2
        // first sweep: nobody moves; v0 = chi (0 + 0 + 0) = 0, pushed up to the lower limit 2 / 5;
        //   v1 = chi (0 + 0 + .5 * 4.1 * (2 - 0)) = .7298438 * 4.1 = 2.9923596
        // second sweep: 2 + .4 = 2.4, 0 + 2.9923596
        let script = vec![0.5, -0.5, 0.1, 0.2, 0.3, 0.5, 0.0, 0.0, 0.0, 0.0];
        let trace = pso.run(&Near(3.0), &space, &objective, &mut Script(script)).unwrap();
        assert!((constriction(4.1) - 0.729_843_8).abs() < 1e-6);
        assert_eq!(trace.steps.iter().map(|s| s.values[0]).collect::<Vec<_>>()[..2], [2.0, 2.0]);
        assert!((f64::from(trace.values[0]) - 0.729_843_788 * 4.1).abs() < 1e-6, "{:?}", trace.values);
        assert!((trace.steps[1].current - 99.0).abs() < 1e-6);
        assert_eq!(trace.evaluations, 6);
    }

    #[test]
    fn speeds_keep_their_sign_and_their_limits() {
        let space = Space { current: vec![0.0], layers: vec![LayerRange { mean: 0.0, sd: 1.0, min: 0.0, max: 1.0 }] };
        let pso = PsoPublished { particles: 1, ..PsoPublished::default() };
        for (own, want) in [(-1000.0, -5.0), (1000.0, 5.0), (-1e-3, -0.2), (1e-3, 0.2)] {
            let mut swarm =
                Swarm { positions: vec![0.0], velocities: vec![0.0], best: vec![own], best_scores: vec![0.0] };
            pso.sweep(&mut swarm, &[own], &space, &mut Script(vec![0.5, 0.5]));
            assert_eq!((swarm.positions[0], swarm.velocities[0]), (0.0, want), "towards {own}");
        }
    }
}
