use crate::{failure::failure, plan, progress::Terminal, recipe::repair_config, show};
use hybridrepair::{Method, RepairConfig, Report, Session, repair};
use hybridrepair_cli::{
    Exit, Failure,
    args::{Output, RepairArgs, ResumeArgs},
    remarks,
};
use hybridrepair_runs::{Environment, Fingerprint, Layout, RunDir, Summary, read_config, write_json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use toml::Table;

/// Under this name `env.json` holds the sha256 of the model under repair.
pub(crate) const CHECKPOINT_KEY: &str = "checkpoint-sha256";

/// Where runs go that name no folder.
const RUNS: &str = "runs";

/// `repair`
pub(crate) fn run(args: &RepairArgs) -> Result<ExitCode, Failure> {
    let mut more = Table::new();
    if let Some(method) = &args.method {
        more.insert("method".to_owned(), method.clone().into());
    }
    if let Some(strategy) = &args.strategy {
        more.insert("strategy".to_owned(), strategy.clone().into());
    }
    let mut config = repair_config(&args.settings, more)?;
    if let Some(trainer) = &args.trainer {
        config.method = with_trainer(&config.method, trainer);
    }
    Method::named(&config.method).map_err(failure)?;
    if let Some(name) = &config.strategy {
        hybridrepair::select::strategy(name)?;
    }
    if args.dry_run {
        let scratch = tempfile::tempdir().map_err(|e| Failure::new(Exit::Unexpected, e))?;
        let session = Session::open(config, scratch.path()).map_err(failure)?;
        return plan::run(&session, args.output.json);
    }
    let name = format!("{}-{}", config.data.name, config.method);
    let planned = args.output.output_dir.clone().unwrap_or_else(|| Path::new(RUNS).join(&name));
    // input is looked at before the folder is touched: `--overwrite` must not cost a run for a mistyped path
    let session = Session::open(config, &cache_of(&planned)).map_err(failure)?;
    let dir = run_dir(&args.output, &name)?;
    finish(&session, dir, args.output.json, args.output.no_progress, args.output.quiet)
}

/// The name of a method with another trainer.
pub(crate) fn with_trainer(method: &str, trainer: &str) -> String {
    format!("{}+{trainer}", method.split('+').next().unwrap_or(method))
}

/// `resume`
pub(crate) fn resume(args: &ResumeArgs) -> Result<ExitCode, Failure> {
    let layout = Layout::new(&args.run);
    let dir = RunDir::open(&args.run)?;
    // a finished run stays as it is: training it again would read the holdout again
    if layout.summary().is_file() {
        let summary = Summary::read(&layout.summary())?;
        if args.json {
            show::json(&summary)?;
        } else {
            show::finished(&summary, &args.run);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let config: RepairConfig = read_config(&layout.config())?;
    let session = Session::open(config, &cache_of(dir.path())).map_err(failure)?;
    finish(&session, dir, args.json, args.no_progress, args.quiet)
}

/// The new folder of a run.
pub(crate) fn run_dir(output: &Output, name: &str) -> Result<RunDir, Failure> {
    Ok(match &output.output_dir {
        Some(path) => RunDir::create(path, output.overwrite)?,
        None => RunDir::create_in(Path::new(RUNS), name)?,
    })
}

/// Finished stages are shared by all runs beside each other.
fn cache_of(run: &Path) -> PathBuf {
    let parent = run.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).join(".hybridrepair-cache")
}

fn finish(session: &Session, dir: RunDir, json: bool, no_progress: bool, quiet: bool) -> Result<ExitCode, Failure> {
    let path = dir.path().to_owned();
    remarks(&session.splits.notes);
    write_environment(session, &dir)?;
    let mut terminal = Terminal::new(no_progress, quiet || json);
    if !quiet && !json {
        show::opening(session, &path);
    }
    let report: Report = repair(session, dir, &mut terminal).map_err(|error| {
        let failure = failure(error);
        let resume = format!("go on with `hybridrepair resume {}`", path.display());
        if failure.help.is_none() { failure.help(resume) } else { failure }
    })?;
    if json {
        show::json(&report.summary)?;
    } else {
        show::report(session, &report, &path);
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes `env.json`.
pub(crate) fn write_environment(session: &Session, dir: &RunDir) -> Result<(), Failure> {
    let mut env = Environment::of_this_process(&session.runtime.device_name(), session.runtime.threads);
    env.libraries.insert("libtorch".to_owned(), hybridrepair::torch::libtorch_version());
    // which model this run is about: the file of that name may be another one tomorrow
    if let Some(checkpoint) = session.config.model_file() {
        env.libraries.insert(CHECKPOINT_KEY.to_owned(), Fingerprint::of_file(checkpoint)?.to_string());
    }
    Ok(write_json(&dir.layout().environment(), &env)?)
}
