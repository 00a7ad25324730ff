//! `export tensorboard`, `export csv`: the numbers of runs for other programs.

use super::report::{is_comparison, runs_of, title};
use crate::{
    Exit, Failure,
    args::{ExportNumbers, ExportNumbersArgs},
    say,
};
use hybridrepair_runs::{Tables, report::RunFolder, scalars, write_csv, write_events};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(super) fn run(what: &ExportNumbers) -> Result<ExitCode, Failure> {
    match what {
        ExportNumbers::Tensorboard(args) => tensorboard(args),
        ExportNumbers::Csv(args) => csv(args),
    }
}

fn tensorboard(args: &ExportNumbersArgs) -> Result<ExitCode, Failure> {
    for (name, run) in named(&args.runs)? {
        RunFolder::open(&run)?;
        let scalars = scalars(&run)?;
        let folder = args.output.join(&name);
        make(&folder)?;
        // one name, so that a second export replaces the first instead of adding to it
        let path = folder.join("events.out.tfevents.0.hybridrepair");
        write_events(&path, &scalars)?;
        say!("{}: {} numbers", path.display(), scalars.len());
    }
    say!("look at them with: tensorboard --logdir {}", args.output.display());
    Ok(ExitCode::SUCCESS)
}

fn csv(args: &ExportNumbersArgs) -> Result<ExitCode, Failure> {
    let mut tables = Tables::default();
    for (name, run) in named(&args.runs)? {
        tables.add(&name, &RunFolder::open(&run)?)?;
    }
    make(&args.output)?;
    write_csv(&args.output.join("runs.csv"), &tables.runs)?;
    write_csv(&args.output.join("classes.csv"), &tables.classes)?;
    write_csv(&args.output.join("metrics.csv"), &tables.metrics)?;
    let (runs, classes, metrics) = (tables.runs.len(), tables.classes.len(), tables.metrics.len());
    say!("{}: runs.csv ({runs} lines), classes.csv ({classes}), metrics.csv ({metrics})", args.output.display());
    Ok(ExitCode::SUCCESS)
}

/// The runs, those of comparisons among them, each under a name of its own.
fn named(folders: &[PathBuf]) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut runs = Vec::new();
    for folder in folders {
        if is_comparison(folder) { runs.extend(runs_of(folder)?) } else { runs.push(folder.clone()) }
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let names = runs.into_iter().map(|run| {
        let name = title(&run);
        let times = seen.entry(name.clone()).or_default();
        *times += 1;
        (if *times == 1 { name } else { format!("{name}-{times}") }, run)
    });
    Ok(names.collect())
}

fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|e| {
        Failure::new(Exit::Unexpected, format!("cannot create {}: {e}", folder.display()))
            .help("check the path, its rights and the room on its disk")
    })
}
