//! Ours: no setting per task.

mod flight;
mod gauge;
mod plan;

use crate::{Entry, Norm, Params, Stop, Task};
use flight::Flight;
use gauge::Gauge;
use hybridrepair_core::Stream;
use plan::{Course, Plan};

/// An optimiser without settings.
///
/// - It begins with the initial parameters times the power of 0.6 at which one batch's loss is least: nets whose inputs are
///   large answer too surely at first, and unlearning that takes long.
/// - Gradients count by the example, so batches are a quarter of the default: four times the steps for the same work. The
///   noise that this brings is averaged away: steps are those of schedule-free Adam (Defazio et al., 2024), whose gradients
///   are taken near the average that is probed, so that their losses tell what the average is worth and batch
///   normalisation's running statistics fit it.
/// - The first flight decays the weights, apart from the gradient: a net that learns fast grows too sure of its answers.
/// - A probe is made when the smoothed loss, corrected by the gap that the last probe showed, is below the target, and
///   otherwise so seldom that it costs little ([`Gauge`]).
/// - Where the loss runs away, stands still or rises, another flight begins ([`Plan`]).
pub(crate) struct Pilot;

/// The default batch over ours.
const SHRINK: usize = 4;
/// From one scale of the initial parameters to the next smaller one, and how many are tried.
const SMALLER: (f32, usize) = (0.6, 6);
/// A smaller scale is taken when it brings the loss below this share.
const BETTER: f64 = 0.9;

impl Entry for Pilot {
    fn name(&self) -> &'static str {
        "pilot"
    }

    fn run(&mut self, task: &mut dyn Task, _: &mut Stream) -> Result<(), Stop> {
        let spec = task.spec();
        let batch = (spec.default_batch / SHRINK).max(1);
        let (examples, target) = (spec.examples as f64, spec.target);
        let probe_work = spec.target_examples as f64 / 3.0;
        let start = scaled(task)?;
        let mut plan = Plan::new(examples, target, start.clone());
        let mut gauge = Gauge::new(batch as f64, examples, target, probe_work);
        let mut flight = Flight::new(start, plan.course());
        let mut work = 0.0;
        loop {
            let id = task.batch(batch)?;
            task.set_params(&flight.point())?;
            let (loss, grad) = task.grad(id)?;
            work += batch as f64;
            plan.flew(batch as f64);
            gauge.note(loss);
            let next: Option<Params> = if !loss.is_finite() || gauge.ran_away() || !flight.step(&grad) {
                Some(plan.ran_away())
            } else if gauge.due(work) {
                task.set_params(&flight.average)?;
                let found = task.probe()?;
                work += probe_work;
                gauge.probed(found);
                plan.probed(found, &flight.average)
            } else {
                None
            };
            if let Some(from) = next {
                flight = Flight::new(from, plan.course());
                gauge.restart();
            }
        }
    }
}

/// The initial parameters times the scale at which the loss of a batch is least.
fn scaled(task: &mut dyn Task) -> Result<Params, Stop> {
    let size = task.spec().default_batch;
    let id = task.batch(size)?;
    let mut tried = task.params();
    let mut best = tried.clone();
    let mut least = task.loss(id, Norm::Batch)?;
    let (factor, times) = SMALLER;
    for _ in 0..times {
        tried.values_mut().iter_mut().for_each(|v| *v *= factor);
        task.set_params(&tried)?;
        let loss = task.loss(id, Norm::Batch)?;
        // a loss that is not a number is no reason to stay
        if loss >= BETTER * least {
            break;
        }
        (least, best) = (loss, tried.clone());
    }
    Ok(best)
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
    fn large_inputs_make_it_begin_with_small_parameters() {
        // of this bowl, whose least is at 0, any smaller scale is better
        let mut problem = Quadratic::new(&[1.0, 1.0], 64);
        let limits = Limits { work: 1e6, seconds: 60.0, memory: u64::MAX };
        let mut referee = Referee::new("bowl", &mut problem, 0.0, limits, 0);
        let before = referee.params().norm();
        let after = scaled(&mut referee).unwrap().norm();
        assert!((after / before - 0.6f64.powi(6)).abs() < 1e-3, "{before} {after}");
    }
}
