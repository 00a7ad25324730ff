use crate::{Localized, PatchError, Trace, tensors::write_whole};
use std::{fmt::Write, path::Path};

/// Writes `optimization_history.csv`: tab separated, per iteration its number, the particle (-1: the iteration's best),
/// the best score so far, the iteration's score, and `(i, j, value)` for each weight; the last row is the final best.
/// Weights of more or fewer than two dimensions are written with all their coordinates.
///
/// # Errors
/// When it cannot be written.
pub fn write_history(path: &Path, weights: &[Localized], trace: &Trace) -> Result<(), PatchError> {
    let mut text = String::new();
    let mut row = |iteration: usize, best: f64, current: f64, values: &[f32]| {
        let _ = write!(text, "{iteration}\t-1\t{best}\t{current}");
        for (l, value) in weights.iter().zip(values) {
            // input neuron before output neuron, as there
            let place = l.weight.index.iter().rev().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let _ = write!(text, "\t({place}, {value})");
        }
        text.push('\n');
    };
    for (iteration, step) in trace.steps.iter().enumerate() {
        row(iteration, step.best, step.current, &step.values);
    }
    row(trace.steps.len(), trace.score, trace.score, &trace.values);
    write_whole(path, text.as_bytes())
}
