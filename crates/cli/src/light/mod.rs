//! Commands that need no libtorch.

pub mod arena;
mod examine;
mod inspect;
mod label;
mod numbers;
pub mod patch;
mod prepare;
mod report;
mod select;
mod sheet;

use crate::{
    Failure,
    args::{Command, DataCommand, ExportArgs},
};
use std::process::ExitCode;

/// Runs a light command.
///
/// # Errors
/// When it fails, with what to do next.
pub fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Examine(args) => examine::run(args),
        Command::Select(args) => select::run(args),
        Command::Patch { command } => patch::run(command, patch::from_arrays),
        Command::Data { command: DataCommand::Sheet(args) } => sheet::run(args),
        Command::Data { command: DataCommand::List(args) } => Ok(prepare::list(args)),
        Command::Data { command: DataCommand::Prepare(args) } => prepare::run(args),
        Command::Data { command: DataCommand::Inspect(args) } => inspect::run(args),
        Command::Arena { command } => arena::run(command),
        Command::Label { command } => label::run(command),
        Command::Report(args) => report::run(args),
        Command::Export(ExportArgs { numbers: Some(what), .. }) => numbers::run(what),
        other => unreachable!("{other:?} needs libtorch"),
    }
}
