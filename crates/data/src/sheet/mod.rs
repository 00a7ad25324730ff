//! Contact sheets: many pictures with captions in one PNG, or many small ones in one JPEG.

mod font;
mod layout;
mod thumbnails;

pub use layout::{Sheet, contact_sheet, png};
pub use thumbnails::{jpeg, thumbnail_sheet};
