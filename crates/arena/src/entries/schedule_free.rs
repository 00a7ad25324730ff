use super::adam::power;
use crate::{Entry, Stop, Task};
use hybridrepair_core::Stream;

/// Schedule-free `AdamW` (Defazio et al., 2024) without decay: gradients at a point between the iterate and the average of
/// all iterates, which is what a probe sees.
pub(crate) struct ScheduleFree;

const LR: f32 = 0.0025;
const BETA1: f32 = 0.9;
const BETA2: f64 = 0.999;

impl Entry for ScheduleFree {
    fn name(&self) -> &'static str {
        "schedule-free"
    }

    fn run(&mut self, task: &mut dyn Task, _: &mut Stream) -> Result<(), Stop> {
        let batch = task.spec().default_batch;
        let steps = (task.spec().examples / batch).max(1);
        let (mut iterate, mut average) = (task.params(), task.params());
        let mut square = vec![0.0f32; iterate.values().len()];
        let mut t = 0;
        loop {
            task.epoch(true)?;
            for _ in 0..steps {
                let id = task.batch(batch)?;
                let mut between = iterate.clone();
                between.lerp(BETA1, &average);
                task.set_params(&between)?;
                let (_, grad) = task.grad(id)?;
                t += 1;
                let unbias = (1.0 / (1.0 - power(BETA2, t))) as f32;
                for ((z, v), &g) in iterate.values_mut().iter_mut().zip(&mut square).zip(grad.values()) {
                    *v = BETA2 as f32 * *v + (1.0 - BETA2 as f32) * g * g;
                    *z -= LR * g / ((*v * unbias).sqrt() + 1e-8);
                }
                average.lerp(1.0 / t as f32, &iterate);
            }
            task.set_params(&average)?;
            task.probe()?;
        }
    }
}
