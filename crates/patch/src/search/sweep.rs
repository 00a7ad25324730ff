use super::{Best, Draws, Search, Space, Step, Trace, judge};
use crate::{Evaluator, Objective, PatchError};

/// One number tried at even steps over its range, the current value first; of equal scores the first is kept.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// Values that are tried.
    pub steps: usize,
}

impl Search for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn run(
        &self,
        evaluator: &dyn Evaluator,
        space: &Space,
        objective: &Objective,
        _: &mut dyn Draws,
    ) -> Result<Trace, PatchError> {
        if space.dims() != 1 {
            return Err(PatchError::setting("sweep over", space.dims(), "weights: it takes one"));
        }
        let layer = &space.layers[0];
        let n = self.steps.max(2);
        let mut values = vec![space.current[0]];
        values.extend((0..n).map(|i| (layer.min + layer.width() * i as f64 / (n - 1) as f64) as f32));
        // nearest to the current value first, so that of equal scores the smallest change wins
        let here = space.current[0];
        values.sort_by(|a, b| (a - here).abs().total_cmp(&(b - here).abs()));
        let scores = judge(evaluator, objective, &values)?;
        let mut best = Best::none(1);
        for (value, &scored) in values.iter().zip(&scores) {
            best.offer(std::slice::from_ref(value), scored);
        }
        let step = |s: f64, v: f32| Step { best: s, current: s, values: vec![v] };
        let steps = vec![step(scores[0].0, here), step(best.score, best.values[0])];
        Ok(best.trace(steps, values.len()))
    }
}
