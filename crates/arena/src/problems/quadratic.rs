use crate::{Examples, Norm, ParamLayout, Part, Problem, problem::Sizes};
use hybridrepair_core::Streams;
use std::sync::Arc;

/// `sum of curvature_i / 2 * x_i^2`, begun at ones: a problem whose every step can be computed by hand, to test entries on.
///
/// All examples are alike, so gradients have no noise. Training loss, target and holdout are one function.
///
/// ```
/// use hybridrepair_arena::{Limits, Quadratic, Referee, entry, play};
/// let mut problem = Quadratic::new(&[1.0, 10.0], 8);
/// let limits = Limits { work: 1e5, seconds: 60.0, memory: u64::MAX };
/// let mut referee = Referee::new("bowl", &mut problem, 1e-3, limits, 0);
/// let verdict = play(&mut *entry("adam-0.01")?, referee);
/// assert!(verdict.outcome == hybridrepair_arena::Outcome::Reached);
/// # Ok::<(), hybridrepair_arena::ArenaError>(())
/// ```
pub struct Quadratic {
    curvatures: Vec<f32>,
    examples: usize,
    layout: Arc<ParamLayout>,
}

impl Quadratic {
    /// A bowl with these curvatures, and so many training examples (which cost work, and say nothing).
    pub fn new(curvatures: &[f32], examples: usize) -> Self {
        let layout = ParamLayout::new([("x".to_owned(), vec![curvatures.len()])]);
        Self { curvatures: curvatures.to_vec(), examples, layout: Arc::new(layout) }
    }

    fn value(&self, x: &[f32]) -> f64 {
        x.iter().zip(&self.curvatures).map(|(&x, &c)| 0.5 * f64::from(c) * f64::from(x) * f64::from(x)).sum()
    }
}

impl Problem for Quadratic {
    fn layout(&self) -> &Arc<ParamLayout> {
        &self.layout
    }

    fn sizes(&self) -> Sizes {
        Sizes { examples: self.examples, target: self.examples, batch: self.examples.div_ceil(4) }
    }

    fn begin(&mut self, _: Streams) -> Vec<f32> {
        vec![1.0; self.curvatures.len()]
    }

    fn loss(&self, params: &[f32], _: Examples<'_>, _: Norm) -> f64 {
        self.value(params)
    }

    fn grad(&mut self, params: &[f32], _: Examples<'_>) -> (f64, Vec<f32>) {
        (self.value(params), params.iter().zip(&self.curvatures).map(|(x, c)| x * c).collect())
    }

    fn judge(&self, params: &[f32], _: Part) -> f64 {
        self.value(params)
    }
}
