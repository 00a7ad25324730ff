use super::Sign;
use crate::History;

/// A loss, gradient or weight is not finite, or the last validation loss is at least `large`.
pub fn non_finite(history: &History<'_>, large: f64) -> Sign {
    if let Some(r) = history.readings.iter().find(|r| r.diverged) {
        return Some(format!("the loss is not finite in epoch {}", r.epoch + 1));
    }
    let last = history.last()?;
    if last.val.loss >= large {
        return Some(format!("the validation loss is {:.2e}", last.val.loss));
    }
    let probe = last.probe.as_ref()?;
    if !probe.finite_weights {
        return Some("a weight is not finite".to_owned());
    }
    (!probe.finite_gradients).then(|| "a gradient is not finite".to_owned())
}
