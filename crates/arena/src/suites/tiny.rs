use super::{Assignment, Design, Family};
use crate::ArenaError;

/// Targets of the samples: first guesses, to be replaced by what `arena calibrate TASK` finds.
const TARGETS: [(Family, f64); 7] = [
    (Family::SignsCnn, 0.5),
    (Family::SignsMlp, 0.7),
    (Family::Blob, 0.45),
    (Family::Circle, 0.4),
    (Family::ChainLm, 1.8),
    (Family::DeepTanh, 0.5),
    (Family::BadScale, 0.4),
];

/// The samples: seven tasks of seconds.
///
/// # Errors
/// When data cannot be made.
pub fn tiny() -> Result<Vec<Assignment>, ArenaError> {
    let task = |&(family, target): &(Family, f64)| Assignment::designed(family.name(), &Design::sample(family), target);
    TARGETS.iter().map(task).collect()
}
