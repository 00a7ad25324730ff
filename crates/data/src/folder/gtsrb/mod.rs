//! GTSRB, the German traffic sign recognition benchmark: 43 classes.
//!
//! Two data sets: [`GTSRB`] in the published ranges, where frames of one physical sign lie on both sides of a split, and
//! [`GTSRB_TRACKS`], where they do not.

mod archive;
mod frame;
mod names;
mod published;
mod records;
mod tracks;

pub use archive::read_gtsrb_archive;
pub use frame::{Frame, Frames};
pub(crate) use published::GTSRB;
pub use records::read_gtsrb_records;
pub(crate) use tracks::GTSRB_TRACKS;

use crate::Normalization;

/// Number of classes.
const CLASSES: usize = 43;
/// Pictures of the final training set.
const FINAL: usize = 39_209;
/// Rows and columns to which pictures are brought, whole and bilinear.
const SIDE: usize = 32;

/// Channel statistics as the method uses them.
const NORMALIZATION: Normalization = Normalization { mean: [0.3337, 0.3064, 0.3171], std: [0.2672, 0.2564, 0.2629] };
