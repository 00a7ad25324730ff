use super::{Assignment, Design, Family};
use crate::ArenaError;

/// Targets of the samples: what `arena calibrate TASK` finds.
const TARGETS: [(Family, f64); 7] = [
    (Family::SignsCnn, 0.171),
    (Family::SignsMlp, 0.131),
    (Family::Blob, 0.458),
    (Family::Circle, 0.455),
    (Family::ChainLm, 1.833),
    (Family::DeepTanh, 0.464),
    (Family::BadScale, 0.646),
];

/// The samples: seven tasks of seconds.
///
/// # Errors
/// When data cannot be made.
pub fn tiny() -> Result<Vec<Assignment>, ArenaError> {
    let task = |&(family, target): &(Family, f64)| Assignment::designed(family.name(), &Design::sample(family), target);
    TARGETS.iter().map(task).collect()
}
