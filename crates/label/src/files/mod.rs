//! Answers in files that people and label tools write.

mod csv_file;
mod cvat;
mod jsonl_file;
mod label_studio;
mod read;
mod row;
mod table;

pub use read::{Answers, Source, read_answers};
pub use row::{Row, Sample};
pub use table::{Format, read_table, write_table};
