//! Pictures in files: any format, size and aspect, in folders and lists.

pub(crate) mod dataset;
mod decode;
pub(crate) mod gtsrb;
mod jpeg;
mod list;
mod listing;
pub(crate) mod manifest;
mod own;
mod read;
mod report;
mod resample;
mod resize;
mod skip;
mod survey;
pub(crate) mod tiny_imagenet;
mod tree;
mod walk;

pub use dataset::read_folder;
pub use decode::{decode, decode_file};
pub use gtsrb::{Frame, Frames, read_gtsrb_archive, read_gtsrb_records};
pub use list::{FileList, ListedFile};
pub use listing::{FileSplits, Part};
pub use manifest::read_manifest;
pub use own::{OwnFolders, read_own};
pub use read::{Pictures, read_pictures};
pub use report::Report;
pub use resize::{InputSize, Resize};
pub use skip::{SkipReason, Skipped};
pub use survey::{Survey, survey};
pub use tiny_imagenet::read_tiny_imagenet;
pub use tree::ClassTree;
pub use walk::picture_files;
