//! The report: one HTML file that needs nothing else, for people who were not there.
//!
//! A [`Page`] is one file in `pages/`. It says which files of a run it needs, and is shown when they exist; so a run of
//! any command gets the pages that its folder has the files for. To add one: write `pages/NAME.rs` with a unit struct that
//! implements [`Page`], and name it in the list of `pages/mod.rs`. A page writes through [`Html`], which escapes every
//! text, and draws with [`Chart`], [`Table`] and [`Html::figures`]; style and colours, light and dark, are those of the
//! document.

mod chart;
mod comparison;
mod document;
mod folder;
mod format;
mod html;
mod page;
pub(crate) mod pages;
mod scale;
mod stacks;
mod svg;
mod table;

pub use chart::{Band, Chart, Line, Mark, Style};
pub use comparison::comparison_report;
pub use document::{Part, document, document_of, run_report};
pub use folder::RunFolder;
pub use format::{count, duration, p_value, percent, points, signed_interval};
pub use html::{Figure, Html, Tone};
pub use page::Page;
pub use stacks::Stacks;
pub use table::{Align, Table};
