use crate::{Entry, Stop, Task};
use hybridrepair_core::Stream;

/// A rule that makes a step of each gradient.
pub(crate) trait Rule {
    /// Changes the parameters by the gradient of step `t`, counted from 1.
    fn step(&mut self, params: &mut [f32], grad: &[f32], t: i32);
}

/// The usual loop around a rule: the default batch, a probe after every pass, until stopped.
pub(crate) struct Descent {
    name: &'static str,
    rule: fn(usize, &mut Stream) -> Box<dyn Rule>,
}

impl Descent {
    /// `rule` gets the number of parameters.
    pub(crate) fn entry(name: &'static str, rule: fn(usize, &mut Stream) -> Box<dyn Rule>) -> Box<dyn Entry> {
        Box::new(Self { name, rule })
    }
}

impl Entry for Descent {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&mut self, task: &mut dyn Task, rng: &mut Stream) -> Result<(), Stop> {
        let mut params = task.params();
        let mut rule = (self.rule)(params.values().len(), rng);
        let batch = task.spec().default_batch;
        let steps = (task.spec().examples / batch).max(1);
        let mut t = 0;
        loop {
            task.epoch(true)?;
            for _ in 0..steps {
                let id = task.batch(batch)?;
                let (_, grad) = task.grad(id)?;
                t += 1;
                rule.step(params.values_mut(), grad.values(), t);
                task.set_params(&params)?;
            }
            task.probe()?;
        }
    }
}
