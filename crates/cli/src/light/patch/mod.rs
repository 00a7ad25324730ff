//! `patch`: the commands on files, and the searches on features that are there already.

mod case;
mod compare;
mod drill;
mod failure;
mod files;
mod localize;
mod page;
mod search;
mod show;
mod upstream;

use crate::{Failure, args::PatchCommand};
pub use case::CaseData;
pub use localize::localize;
pub use search::{check, describe_search, objective, refine, search};
use std::process::ExitCode;

/// Runs a command; `data` gives what it is repaired on.
///
/// # Errors
/// When it fails, with what to do next.
pub fn run(
    command: &PatchCommand,
    data: impl FnOnce(&PatchCommand) -> Result<CaseData, Failure>,
) -> Result<ExitCode, Failure> {
    match command {
        PatchCommand::Localize(args) => localize(args, &data(command)?),
        PatchCommand::Search(args) => {
            check(args)?;
            search(args, &data(command)?)
        }
        PatchCommand::Compare(args) => {
            compare::check(args)?;
            compare::compare(args, &data(command)?)
        }
        PatchCommand::Drill(args) => {
            drill::check(args)?;
            drill::drill(args, &data(command)?)
        }
        PatchCommand::Apply(args) => files::apply(args, false),
        PatchCommand::Revert(args) => files::apply(args, true),
        PatchCommand::Merge(args) => files::merge(args),
        PatchCommand::Show(args) => show::show(args),
    }
}

/// What a command is repaired on when all of it lies in arrays.
///
/// # Errors
/// When they cannot be read or do not fit.
pub fn from_arrays(command: &PatchCommand) -> Result<CaseData, Failure> {
    match command {
        PatchCommand::Localize(args) => CaseData::from_arrays(&args.case, None),
        PatchCommand::Search(args) => CaseData::from_arrays(&args.case, args.test.files()),
        PatchCommand::Compare(args) => CaseData::from_arrays(&args.case, args.test.files()),
        PatchCommand::Drill(args) => CaseData::from_arrays(&args.case, args.test.files()),
        other => unreachable!("{other:?} needs no samples"),
    }
}
