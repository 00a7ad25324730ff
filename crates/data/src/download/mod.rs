//! Published data sets: where they are, fetched and unpacked.
//!
//! [`PUBLISHED`] names the official address of each file with its size and checksum, [`fetch`] brings one file, and
//! [`prepare`] a whole data set into the folder that its reader expects. No other code of the project opens a
//! connection.

mod attempt;
mod catalogue;
mod checksum;
mod error;
mod event;
mod fetch;
mod home;
mod part;
mod prepare;
mod source;
mod unpack;

pub use catalogue::{PUBLISHED, Part, Published, published};
pub use checksum::Checksum;
pub use error::DownloadError;
pub use event::{Event, Options};
pub use fetch::{Fetched, fetch};
pub use home::{DATA_HOME, data_home};
pub use prepare::{Prepared, Step, is_there, prepare};
pub use source::Source;
pub use unpack::{Archive, Take, unpack};
