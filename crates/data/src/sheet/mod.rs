//! Contact sheets: many pictures with captions in one PNG.

mod font;
mod layout;

pub use layout::{Sheet, contact_sheet, png};
