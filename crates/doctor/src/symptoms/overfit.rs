use super::Sign;
use crate::History;

/// The last epochs made the training loss fall and the validation loss rise above its lowest by a fifth of it and by more
/// than 0.1, while accuracies are 0.1 apart (0.07 where training is above 0.9, as published).
pub fn overfit(history: &History<'_>) -> Sign {
    let last = history.last()?;
    let gap = last.train.acc - last.val.acc;
    let lowest = history.readings.iter().map(|r| r.val.loss).fold(f64::NAN, f64::min);
    let risen = last.val.loss - lowest;
    let apart = gap >= if last.train.acc > 0.9 { 0.07 } else { 0.1 };
    (apart && risen > 0.1 && risen > 0.2 * lowest).then(|| {
        let (train, val) = (100.0 * last.train.acc, 100.0 * last.val.acc);
        format!(
            "training accuracy is {train:.1} %, validation {val:.1} %, and the validation loss rose from {lowest:.3} to {:.3}",
            last.val.loss
        )
    })
}
