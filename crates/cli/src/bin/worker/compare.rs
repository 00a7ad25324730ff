//! `compare`: a grid of methods, budgets and seeds with shared stages, which goes on where it stopped.

use crate::{
    failure::failure,
    progress::Terminal,
    recipe::repair_config,
    repair::{with_trainer, write_environment},
    show,
};
use hybridrepair::{Method, RepairConfig, Session, Tier, repair};
use hybridrepair_cli::say;
use hybridrepair_cli::{Exit, Failure, args::CompareArgs};
use hybridrepair_core::Budget;
use hybridrepair_runs::{
    Comparison, Environment, Fingerprint, Layout, RunDir, RunLock, Summary, read_config, read_json, write_atomic,
    write_json,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};
use toml::Table;

/// One cell of the grid.
struct Job {
    config: RepairConfig,
    dir: PathBuf,
}

/// `compare`
pub(crate) fn run(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let base = repair_config(&args.settings, Table::new())?;
    let methods = methods(args)?;
    Method::named(&args.baseline).map_err(failure)?;
    if !methods.contains(&args.baseline) {
        return Err(Failure::new(Exit::Usage, format!("the baseline {:?} is not among --methods", args.baseline))
            .help("add it to --methods, or choose another --baseline"));
    }
    if base.strategy.is_some() {
        return Err(Failure::new(Exit::Usage, "the recipe sets a strategy, which every method would use")
            .help("take `strategy` out of it: --methods names the strategies that are compared"));
    }
    // runs that are compared do the same on every machine
    let base = if base.tier == Tier::Auto { RepairConfig { tier: Tier::Full, ..base } } else { base };
    if args.settings.runtime.seed.is_some() {
        return Err(Failure::new(Exit::Usage, "compare runs several seeds").help("write --seeds instead of --seed"));
    }
    let root = args.output.output_dir.clone().unwrap_or_else(|| PathBuf::from("runs/compare"));
    fs::create_dir_all(&root).map_err(|e| Failure::new(Exit::Unexpected, format!("{}: {e}", root.display())))?;
    let _lock = RunLock::acquire(&Layout::new(&root))?;
    let budgets = if args.budgets.is_empty() { vec![base.budget] } else { args.budgets.clone() };
    let jobs = grid(&methods, &args.seeds, &base, &budgets, &root);
    for job in &jobs {
        job.config.check().map_err(failure)?;
    }
    let todo = jobs.iter().filter(|job| finished(job).is_none()).count();
    let mut terminal = Terminal::new(args.output.no_progress, args.output.quiet || args.output.json);
    let mut refused = Vec::new();
    if todo > 0 {
        let mut session = Session::open(base, &root.join("cache")).map_err(failure)?;
        for (number, job) in jobs.iter().enumerate() {
            if finished(job).is_some() {
                continue;
            }
            let of = jobs.len();
            hybridrepair::Progress::say(&mut terminal, &format!("[{}/{of}] {}", number + 1, job.dir.display()));
            match run_one(&mut session, job, args.output.overwrite, &mut terminal) {
                // a result like others: the guards found nothing safe, and the deployed model stays
                Err(why) if why.exit == Exit::Refused => refused.push((job, why)),
                other => other?,
            }
        }
    }
    let summaries = jobs.iter().filter_map(finished).collect::<Vec<_>>();
    if !refused.is_empty() && !summaries.iter().any(|s| s.method == args.baseline) {
        return Err(
            unsafe_runs(&refused).help("no run of the baseline is left to compare with: choose another --baseline")
        );
    }
    let mut table = Comparison::of(&summaries, &args.baseline)?;
    table.refused = refused.iter().map(|(job, _)| name(&job.dir)).collect();
    write_json(&root.join("comparison.json"), &table)?;
    write_atomic(&root.join("comparison.csv"), table.csv().as_bytes())?;
    write_atomic(&root.join("comparison.md"), table.markdown().as_bytes())?;
    if args.output.json {
        show::json(&table)?;
    } else {
        print(&table.markdown());
    }
    if refused.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(unsafe_runs(&refused).help("the table and its means are without them; each run's events.jsonl has more"))
}

/// The name of a run's folder.
fn name(dir: &Path) -> String {
    dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The runs whose repair the guards refused.
fn unsafe_runs(refused: &[(&Job, Failure)]) -> Failure {
    let each = refused.iter().map(|(job, why)| format!("{}: {}", name(&job.dir), why.message));
    Failure::new(Exit::Refused, each.collect::<Vec<_>>().join("; "))
}

fn print(text: &str) {
    say!("{text}");
}

/// All methods by name: those that buy labels once per trainer, when trainers are given.
fn methods(args: &CompareArgs) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for name in &args.methods {
        let buys = Method::named(name).map_err(failure)?.strategy.is_some();
        if !buys || args.trainers.is_empty() {
            names.push(name.clone());
            continue;
        }
        for trainer in &args.trainers {
            let name = with_trainer(name, trainer);
            Method::named(&name).map_err(failure)?;
            names.push(name);
        }
    }
    Ok(names)
}

fn grid(methods: &[String], seeds: &[u64], base: &RepairConfig, budgets: &[Budget], root: &Path) -> Vec<Job> {
    let mut jobs = Vec::new();
    for &budget in budgets {
        for &seed in seeds {
            for method in methods {
                let config = RepairConfig { method: method.clone(), budget, seed, ..base.clone() };
                let preset = toml::Value::try_from(base.preset).ok();
                let preset = preset.as_ref().and_then(|p| p.as_str()).unwrap_or("preset");
                let name = format!("{method}-{preset}-{budget}-seed{seed}");
                jobs.push(Job { config, dir: root.join(name) });
            }
        }
    }
    jobs
}

/// The summary of a job that is complete and was made with the same settings.
fn finished(job: &Job) -> Option<Summary> {
    let layout = Layout::new(&job.dir);
    let config: RepairConfig = read_config(&layout.config()).ok()?;
    let env: Environment = read_json(&layout.environment()).ok()?;
    let model = Fingerprint::of_file(job.config.model_file()?).ok()?;
    // another model under the same name is another run
    let same_model = env.libraries.get(Environment::MODEL).is_none_or(|then| *then == model.to_string());
    (same_model && same(&config, &job.config)).then(|| Summary::read(&layout.summary()).ok())?
}

/// Equal but for where it runs.
fn same(a: &RepairConfig, b: &RepairConfig) -> bool {
    RepairConfig { device: String::new(), threads: None, ..a.clone() }
        == RepairConfig { device: String::new(), threads: None, ..b.clone() }
}

fn run_one(session: &mut Session, job: &Job, overwrite: bool, terminal: &mut Terminal) -> Result<(), Failure> {
    let layout = Layout::new(&job.dir);
    let begun = read_config::<RepairConfig>(&layout.config()).ok();
    let dir = match begun {
        // begun and not complete: it goes on; complete, but with another model: it must not be mixed
        Some(config) if same(&config, &job.config) && !layout.summary().exists() => RunDir::open(&job.dir)?,
        Some(_) if !overwrite => {
            return Err(Failure::new(Exit::Usage, format!("{} holds a run with other settings", job.dir.display()))
                .help("choose another --output-dir, or pass --overwrite to replace such runs"));
        }
        _ => RunDir::create(&job.dir, overwrite)?,
    };
    session.with_config(job.config.clone()).map_err(failure)?;
    write_environment(session, &dir)?;
    repair(session, dir, terminal).map_err(failure)?;
    Ok(())
}
