//! `label export`, `label serve`, `label import`, `label status`: what stands between a run that waits and the people it waits for.

mod export;
mod import;
mod pictures;
mod serve;
mod status;

use crate::{Exit, Failure, args::LabelCommand};
use hybridrepair_label::Asked;
use hybridrepair_runs::{Layout, read_json};
use std::{path::Path, process::ExitCode};

/// `label`
pub(super) fn run(command: &LabelCommand) -> Result<ExitCode, Failure> {
    match command {
        LabelCommand::Export(args) => export::run(args),
        LabelCommand::Serve(args) => serve::run(args),
        LabelCommand::Import(args) => import::run(args),
        LabelCommand::Status(args) => status::run(args),
    }
}

/// What a run asks.
fn asked(run: &Path) -> Result<Asked, Failure> {
    let layout = Layout::new(run);
    if !layout.config().is_file() {
        return Err(Failure::new(Exit::Usage, format!("no run here (config.toml is missing): {}", run.display()))
            .help("give the folder of a run that waits for labels"));
    }
    if !layout.asked().is_file() {
        return Err(Failure::new(Exit::Usage, format!("this run asks nobody: {}", run.display())).help(
            "a run asks people when its field pool has no labels, or with --annotator people, once it has selected",
        ));
    }
    let asked: Asked = read_json(&layout.asked())?;
    if asked.format_version != 1 {
        let version = asked.format_version;
        return Err(Failure::new(
            Exit::Input,
            format!("format version {version} is not 1: {}", layout.asked().display()),
        )
        .help("use the release of hybridrepair that wrote it"));
    }
    Ok(asked)
}
