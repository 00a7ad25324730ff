//! `arena`: suites, contests and their scores.

mod list;
mod new_entry;
mod run;
mod score;

use crate::{Exit, Failure, args::ArenaCommand};
use hybridrepair_arena::{Entries, run_entry};
use std::{
    io::{stdin, stdout},
    process::ExitCode,
};

/// Runs `arena`.
pub(super) fn run(command: &ArenaCommand) -> Result<ExitCode, Failure> {
    match command {
        ArenaCommand::Run(args) => run::run(args),
        ArenaCommand::List(args) => list::run(args),
        ArenaCommand::Score(args) => score::run(args),
        ArenaCommand::Calibrate(args) => score::calibrate(args),
        ArenaCommand::NewEntry(args) => new_entry::run(args),
        ArenaCommand::Entry { name } => {
            let kept = run_entry(&Entries::built_in(), name, stdin().lock(), stdout().lock())?;
            if kept {
                Ok(ExitCode::SUCCESS)
            } else {
                Err(Failure::new(Exit::Usage, "there is no referee at standard input")
                    .help("`hybridrepair arena run` starts this"))
            }
        }
    }
}

/// As JSON on standard output.
fn json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    crate::say!("{text}");
    Ok(())
}
