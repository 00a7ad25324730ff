use crate::{Entry, Stop, Task};
use hybridrepair_core::Stream;

/// Adaptive gradient descent without descent (Malitsky and Mishchenko, ICML 2020), with the constants of their network
/// code: the rate follows the local curvature, seen by two gradients of one batch.
pub(crate) struct AdGd;

const START: f64 = 0.2;
const GROWTH: f64 = 0.02;
const CAUTION: f64 = 1.0;

impl Entry for AdGd {
    fn name(&self) -> &'static str {
        "adgd"
    }

    fn run(&mut self, task: &mut dyn Task, _: &mut Stream) -> Result<(), Stop> {
        let batch = task.spec().default_batch;
        let steps = (task.spec().examples / batch).max(1);
        let mut params = task.params();
        let (mut lr, mut theta) = (START, f64::INFINITY);
        loop {
            task.epoch(true)?;
            for _ in 0..steps {
                let id = task.batch(batch)?;
                let before = params.clone();
                let (_, grad) = task.grad(id)?;
                params.add_scaled(-lr as f32, &grad);
                task.set_params(&params)?;
                let (_, after) = task.grad(id)?;
                let moved = params.distance(&before);
                let curvature = after.distance(&grad) / (moved + 1e-12);
                let next = (lr * (1.0 + GROWTH * theta).sqrt()).min(1.0 / (CAUTION * curvature + 1e-12));
                theta = next / lr;
                lr = next;
            }
            task.probe()?;
        }
    }
}
