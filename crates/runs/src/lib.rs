//! Run directories: who may write them, what lies in them, and how runs are compared.
//!
//! [`RunDir`] makes or opens a folder and locks it, [`Layout`] knows the names of its files, and every file is written
//! in one piece ([`write_atomic`]) or line by line ([`JsonLines`]), so that a crash costs at most the last line.
//! [`Cache`] keeps results of stages by the hash of all that they depend on ([`StageKey`]), safely for several
//! processes. [`Summary`] holds the numbers of a run, [`Comparison`] a table of many, and
//! [`report`] shows them to people. `docs/formats.md` describes all
//! files for other programs.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advice;
mod cache;
mod clock;
mod compare;
mod compare_text;
mod config;
mod environment;
mod error;
mod event;
mod fingerprint;
mod layout;
mod ledger_file;
mod lock;
mod metric;
mod numbers;
mod reader;
pub mod report;
mod run_dir;
mod selection_file;
mod summary;
mod tables;
mod tensorboard;
mod writer;

pub use advice::{Advice, Earlier, Foretold, Kind, earlier_runs, training_of};
pub use cache::Cache;
pub use compare::{Cell, Comparison, Row};
pub use config::{from_table, overlay, read_config, read_table, write_config};
pub use environment::Environment;
pub use error::RunsError;
pub use event::{Event, EventLine, EventLog, StageClock};
pub use fingerprint::{Fingerprint, StageKey};
pub use layout::Layout;
pub use ledger_file::{LedgerFile, LedgerLine};
pub use lock::RunLock;
pub use metric::{Metric, MetricLog};
pub use numbers::{ClassRow, MetricRow, RunRow, Tables, scalars};
pub use reader::{Lines, read_json, read_lines};
pub use run_dir::{RunDir, new_folder};
pub use selection_file::{read_label_rows, read_labels, read_selection, write_labels, write_selection};
pub use summary::{BudgetNumbers, FieldEstimate, HoldoutNumbers, Summary};
pub use tables::{FieldChange, FieldRow, Group, Judged, Thumbnails, read_csv, write_csv};
pub use tensorboard::{Scalar, write_events};
pub use writer::{JsonLines, write_atomic, write_atomic_with, write_json};

use clock::now;
