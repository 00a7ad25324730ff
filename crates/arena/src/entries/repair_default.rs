use crate::{Entry, Stop, Task};
use hybridrepair_core::Stream;

/// What `repair` does by preset `default`: gradient descent with Nesterov momentum 0.9 and L2 penalty 0.0005, the rate
/// half a cosine from 0.01 down to 0.
///
/// The preset goes around the field pool 12 times (the recipe of `signs` 7), so the cosine is as long as 12 passes over the
/// task's examples at the default batch. There `repair` ends; here another cosine begins, so that the time to the target is known where one is not
/// enough. The moving average of the weights that `repair` keeps is left out: it is judged there after every pass, too.
pub(crate) struct RepairDefault;

const LR: f64 = 0.01;
const MOMENTUM: f32 = 0.9;
const DECAY: f32 = 5e-4;
const PASSES: usize = 12;

impl Entry for RepairDefault {
    fn name(&self) -> &'static str {
        "repair-default"
    }

    fn run(&mut self, task: &mut dyn Task, _: &mut Stream) -> Result<(), Stop> {
        let batch = task.spec().default_batch;
        let steps = (task.spec().examples / batch).max(1);
        let mut params = task.params();
        let mut velocity = vec![0.0f32; params.values().len()];
        let mut taken = 0;
        loop {
            task.epoch(true)?;
            for _ in 0..steps {
                let id = task.batch(batch)?;
                let (_, grad) = task.grad(id)?;
                let lr = rate(taken % (PASSES * steps), PASSES * steps);
                for ((p, v), &g) in params.values_mut().iter_mut().zip(&mut velocity).zip(grad.values()) {
                    let g = g + DECAY * *p;
                    *v = MOMENTUM * *v + g;
                    *p -= lr * (g + MOMENTUM * *v);
                }
                task.set_params(&params)?;
                taken += 1;
            }
            task.probe()?;
        }
    }
}

/// Half a cosine over so many steps, taken in the middle of each.
fn rate(step: usize, steps: usize) -> f32 {
    let share = (step as f64 + 0.5) / steps as f64;
    (LR * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * share))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Outcome, Quadratic, Referee, play};

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let mut problem = Quadratic::new(&[1.0, 3.0], 64);
        let limits = Limits { work: 1e5, seconds: 10.0, memory: u64::MAX };
        let referee = Referee::new("bowl", &mut problem, 1e-3, limits, 0);
        assert_eq!(play(&mut RepairDefault, referee).outcome, Outcome::Reached);
    }

    #[test]
    fn the_rate_falls_from_its_peak_to_nothing() {
        let rates: Vec<f32> = (0..100).map(|step| rate(step, 100)).collect();
        assert!(rates.windows(2).all(|w| w[1] < w[0]));
        assert!((rates[0] - 0.01).abs() < 1e-5 && rates[99] < 1e-5, "{} {}", rates[0], rates[99]);
    }
}
