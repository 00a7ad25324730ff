//! Pictures in files: any format, size and aspect, in folders and lists.

mod decode;
mod jpeg;
mod resample;
mod resize;
mod skip;

pub use decode::{decode, decode_file};
pub use resize::{InputSize, Resize};
pub use skip::{SkipReason, Skipped};
