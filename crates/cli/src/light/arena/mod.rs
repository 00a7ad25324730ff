//! `arena`: suites, contests and their scores.

mod list;
mod new_entry;
mod run;
mod score;

use crate::{Exit, Failure, args::ArenaCommand};
use hybridrepair_arena::{Entries, run_entry};
pub use run::run as contest;
pub use score::calibrate;
use std::{
    io::{stdin, stdout},
    process::ExitCode,
};

/// Runs `arena`.
pub(super) fn run(command: &ArenaCommand) -> Result<ExitCode, Failure> {
    match command {
        ArenaCommand::Run(args) => contest(args, |said| run::suite(args, said)),
        ArenaCommand::List(args) => list::run(args),
        ArenaCommand::Score(args) => score::run(args),
        ArenaCommand::Calibrate(args) => calibrate(args, || score::tasks(args)),
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
