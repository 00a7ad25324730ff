//! Labels in files that people write: `id,label[,annotator,seconds]` as CSV, or one JSON object a line.

mod annotate;
mod csv_file;
mod file;
mod jsonl_file;

pub use annotate::Table;
pub use file::{Format, Row, read_table, write_table};
