use super::adam::power;
use crate::{Entry, Grads, Params, Stop, Task};
use hybridrepair_core::Stream;

/// Ours: no setting per task.
///
/// Gradients count by the example, so batches are a quarter of the default: four times the steps for the same work. The
/// noise that this brings is averaged away: steps are those of schedule-free Adam (Defazio et al., 2024), whose gradients
/// are taken near the average that is probed, so that their losses tell what the average is worth and batch normalisation's
/// running statistics fit it. A probe is made when the smoothed loss, corrected by the gap that the last probe showed, is
/// below the target, and otherwise seldom. Where the loss runs away or stands still, the rate falls and the best average is
/// where it goes on.
pub(crate) struct Pilot;

/// The default batch over ours.
const SHRINK: usize = 4;
/// Rate to begin with.
const RATE: f64 = 0.01;
/// Steps over which the rate rises.
const WARM_UP: f64 = 10.0;
/// Where between iterate and average gradients are taken.
const BETA1: f32 = 0.9;
/// Memory of the squares: shorter than Adam's, since runs are short.
const BETA2: f64 = 0.99;
const EPSILON: f32 = 1e-8;
/// The rate's factor when the loss ran away, and when it stands still.
const RAN_AWAY: f64 = 0.2;
const STANDS_STILL: f64 = 0.33;
/// A loss above so many times the first one has run away.
const TOO_HIGH: f64 = 2.0;
/// Least relative gain of a probe that counts as progress.
const PROGRESS: f64 = 0.005;

impl Entry for Pilot {
    fn name(&self) -> &'static str {
        "pilot"
    }

    fn run(&mut self, task: &mut dyn Task, _: &mut Stream) -> Result<(), Stop> {
        let batch = (task.spec().default_batch / SHRINK).max(1);
        let examples = task.spec().examples as f64;
        let target = task.spec().target;
        let probe_work = task.spec().target_examples as f64 / 3.0;
        let mut rate = RATE;
        let mut flight = Flight::new(task.params());
        let mut gauge = Gauge::new(batch as f64, examples);
        let (mut best, mut place) = (f64::INFINITY, task.params());
        // of the whole run, and since the last progress
        let (mut work, mut stale) = (0.0, 0.0);
        loop {
            let id = task.batch(batch)?;
            task.set_params(&flight.point())?;
            let (loss, grad) = task.grad(id)?;
            work += batch as f64;
            stale += batch as f64;
            gauge.note(loss);
            let flying = loss.is_finite() && !gauge.ran_away() && flight.step(&grad, rate);
            if !flying {
                rate *= RAN_AWAY;
                flight = Flight::new(place.clone());
                gauge.restart();
                continue;
            }
            if !gauge.due(target, work) {
                continue;
            }
            task.set_params(&flight.average)?;
            let found = task.probe()?;
            work += probe_work;
            gauge.probed(found);
            if found < best * (1.0 - PROGRESS) {
                best = found;
                place = flight.average.clone();
                stale = 0.0;
            } else if stale > (2.0 * examples).max(0.25 * work) {
                rate *= STANDS_STILL;
                flight = Flight::new(place.clone());
                gauge.restart();
                stale = 0.0;
            }
        }
    }
}

/// The state of schedule-free Adam.
struct Flight {
    iterate: Params,
    average: Params,
    square: Vec<f32>,
    steps: i32,
    weights: f64,
}

impl Flight {
    fn new(start: Params) -> Self {
        let square = vec![0.0; start.values().len()];
        Self { iterate: start.clone(), average: start, square, steps: 0, weights: 0.0 }
    }

    /// Where the next gradient is taken.
    fn point(&self) -> Params {
        let mut point = self.iterate.clone();
        point.lerp(BETA1, &self.average);
        point
    }

    /// A step; false when it leads out of the numbers, and then nothing of this flight is of use.
    fn step(&mut self, grad: &Grads, rate: f64) -> bool {
        self.steps += 1;
        let rate = rate * (f64::from(self.steps) / WARM_UP).min(1.0);
        let unbias = (1.0 / (1.0 - power(BETA2, self.steps))) as f32;
        let beta2 = BETA2 as f32;
        for ((z, v), &g) in self.iterate.values_mut().iter_mut().zip(&mut self.square).zip(grad.values()) {
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *z -= rate as f32 * g / ((*v * unbias).sqrt() + EPSILON);
        }
        // steps of the warm-up count as little as they are long
        self.weights += rate * rate;
        self.average.lerp((rate * rate / self.weights) as f32, &self.iterate);
        self.average.finite()
    }
}

/// What the losses of the gradients tell of the average: when a probe is worth its price.
struct Gauge {
    batch: f64,
    examples: f64,
    share: f64,
    sum: f64,
    weight: f64,
    first: Option<f64>,
    gap: f64,
    since_probe: f64,
}

/// Share of a pass over which losses are smoothed.
const WINDOW: f64 = 0.25;
/// Least share of a pass between two probes.
const PAUSE: f64 = 0.1;
/// Share of the work so far after which a probe is made whatever the losses tell, but not before a whole pass.
const SELDOM: f64 = 0.2;

impl Gauge {
    fn new(batch: f64, examples: f64) -> Self {
        let share = (batch / (WINDOW * examples)).min(0.5);
        Self { batch, examples, share, sum: 0.0, weight: 0.0, first: None, gap: 0.0, since_probe: 0.0 }
    }

    fn note(&mut self, loss: f64) {
        self.first.get_or_insert(loss);
        self.sum += self.share * (loss - self.sum);
        self.weight += self.share * (1.0 - self.weight);
        self.since_probe += self.batch;
    }

    /// The smoothed loss.
    fn seen(&self) -> f64 {
        self.sum / self.weight
    }

    fn ran_away(&self) -> bool {
        // a few losses are no trend
        self.weight > 0.5 && self.first.is_some_and(|first| self.seen() > TOO_HIGH * first)
    }

    fn due(&self, target: f64, work: f64) -> bool {
        let near = self.seen() + self.gap < target && self.since_probe >= PAUSE * self.examples;
        near || self.since_probe >= (SELDOM * work).max(self.examples)
    }

    fn probed(&mut self, found: f64) {
        self.gap = found - self.seen();
        self.since_probe = 0.0;
    }

    /// Forgets the losses of a flight that is over; what the first one was stays known.
    fn restart(&mut self) {
        (self.sum, self.weight, self.since_probe) = (0.0, 0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Outcome, Quadratic, Referee, play};

    #[test]
    fn bowls_of_any_steepness_are_descended() {
        for curvatures in [vec![1.0], vec![1e-2, 1.0, 1e2], vec![1e4, 1e3]] {
            let mut problem = Quadratic::new(&curvatures, 64);
            let start: f64 = curvatures.iter().map(|c| f64::from(*c) / 2.0).sum();
            let limits = Limits { work: 1e6, seconds: 60.0, memory: u64::MAX };
            let referee = Referee::new("bowl", &mut problem, 0.01 * start, limits, 0);
            assert_eq!(play(&mut Pilot, referee).outcome, Outcome::Reached, "{curvatures:?}");
        }
    }

    #[test]
    fn probes_are_made_near_the_target_and_seldom_elsewhere() {
        let mut gauge = Gauge::new(16.0, 640.0);
        for _ in 0..39 {
            gauge.note(2.0);
            assert!(!gauge.due(1.0, 0.0));
        }
        gauge.note(2.0);
        assert!(gauge.due(1.0, 0.0), "a whole pass");
        gauge.probed(2.5);
        assert_eq!(gauge.gap, 0.5);
        gauge.note(2.0);
        assert!(!gauge.due(2.4, 0.0));
        for _ in 0..3 {
            gauge.note(2.0);
        }
        assert!(gauge.due(2.6, 0.0) && !gauge.due(2.5, 0.0), "the gap counts");
    }
}
