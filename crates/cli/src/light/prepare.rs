//! `data list` and `data prepare`.

mod failure;
mod list;
mod report;

use crate::say;
use crate::{Exit, Failure, args::PrepareArgs};
use hybridrepair_data::Dataset;
use hybridrepair_data::download::{self, DATA_HOME, Options, Prepared, Published, Step, data_home};
pub(super) use list::list;
use report::{Report, megabytes};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `data prepare`
pub(super) fn run(args: &PrepareArgs) -> Result<ExitCode, Failure> {
    let Some(set) = to_fetch(&args.name)? else {
        if args.json {
            let (name, none) = (&args.name, serde_json::Value::Null);
            say!("{}", json!({ "format_version": 1, "name": name, "datasets": [name], "dir": none, "parts": [] }));
        } else {
            say!("{} needs no files", args.name);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let dir = folder(args.data_dir.as_deref(), set)?;
    let report = Report::new(args.no_progress, args.quiet);
    let told = |event: download::Event<'_>| report.event(event);
    let options = Options { offline: args.offline, report: &told, ..Options::default() };
    let parts = download::prepare(set, &dir, &options);
    report.clear();
    let parts = parts.map_err(|e| failure::of(e, args.offline))?;
    if args.json {
        say!("{}", as_json(set, &dir, &parts));
        return Ok(ExitCode::SUCCESS);
    }
    for part in &parts {
        let done = match part.step {
            Step::Present => "there, checked".to_owned(),
            Step::Unpacked => "unpacked".to_owned(),
            Step::Fetched(bytes) => format!("fetched, {}", megabytes(bytes)),
        };
        say!("{}: {done}", part.path.display());
    }
    say!("ready: --dataset {} --data-dir {}", set.readers.join(" or "), dir.display());
    Ok(ExitCode::SUCCESS)
}

/// The data set of this name; `None` when it needs no files.
fn to_fetch(name: &str) -> Result<Option<&'static Published>, Failure> {
    match (download::published(name), Dataset::named(name)) {
        (Ok(set), _) => Ok(Some(set)),
        (Err(_), Ok(dataset)) if dataset.folder.is_none() => Ok(None),
        (Err(_), Ok(dataset)) => Err(Failure::new(Exit::Usage, format!("{name} is not fetched by this program"))
            .help(format!("put it into a folder yourself and pass --data-dir: {}", dataset.help()))),
        (Err(error), Err(_)) => Err(failure::of(error, false)),
    }
}

/// The folder of a data set: the one given, or its own below the home of all.
fn folder(given: Option<&Path>, set: &Published) -> Result<PathBuf, Failure> {
    given.map(Path::to_owned).or_else(|| Some(data_home()?.join(set.name))).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("neither {DATA_HOME} nor HOME is set")).help("pass --data-dir DIR")
    })
}

fn as_json(set: &Published, dir: &Path, parts: &[Prepared]) -> serde_json::Value {
    let parts = parts.iter().map(|part| {
        let (step, received) = match part.step {
            Step::Fetched(bytes) => ("fetched", bytes),
            Step::Unpacked => ("unpacked", 0),
            Step::Present => ("present", 0),
        };
        json!({ "path": part.path, "step": step, "received": received })
    });
    json!({ "format_version": 1, "name": set.name, "datasets": set.readers, "dir": dir, "parts": parts.collect::<Vec<_>>() })
}
