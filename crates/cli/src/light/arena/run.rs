use crate::{
    Exit, Failure,
    args::{ArenaRunArgs, ClockArg, SuiteArg},
    say,
};
use hybridrepair_arena::{
    Assignment, Clock, Contender, Contest, Entries, Outcome, Programs, Standings, Trial, hidden, language, table, tiny,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Entries that always compete, so that every table can be read beside every other.
const ALWAYS: [&str; 3] = ["sgd-momentum", "adam-memoryless", "random-lr"];

/// Targets that are not fixed come from this entry, whoever is the baseline of the table.
const CALIBRATES: &str = "adam";

/// `arena run` on the tasks that `suite` makes; it may tell of what it does.
///
/// # Errors
/// When the contest cannot be held, or the baseline fails a task.
pub fn run(
    args: &ArenaRunArgs,
    suite: impl FnOnce(&mut dyn FnMut(&str)) -> Result<Vec<Assignment>, Failure>,
) -> Result<ExitCode, Failure> {
    let contenders = contenders(args, &Entries::built_in())?;
    let folder = folder(args)?;
    let teller = Teller::new(args);
    let limit = args.limit.map_or(args.suite.limit(), |limit| limit.0);
    let tasks = suite(&mut |said| teller.remark(said)).and_then(|tasks| chosen(tasks, args)).inspect_err(|_| {
        // nothing is in it yet: no run that anybody would look for; where it does not go it may stay
        let _ = std::fs::remove_dir(&folder);
    })?;
    let tasks = tasks.into_iter().map(|t| t.limited(limit, args.memory.0)).collect();
    let me = std::env::current_exe().map_err(|e| Failure::new(Exit::Unexpected, e))?;
    let contest = Contest {
        suite: args.suite.name().to_owned(),
        suite_seed: (args.suite == SuiteArg::Hidden).then_some(args.suite_seed),
        tasks,
        contenders,
        baseline: args.baseline.clone(),
        clock: clock(args.clock),
        repeats: args.repeats,
        seed: args.seed,
        programs: Programs {
            built_in: vec![me.with_file_name("hybridrepair").into(), "arena".into(), "entry".into()],
            python: args.python.clone(),
        },
    };
    teller.begin(contest.tasks.len() as u64 * contest.contenders.len() as u64 * contest.repeats);
    let standings = contest.run(&folder, &mut |remark, trial| match trial {
        Some(trial) => teller.ran(trial),
        None => teller.remark(remark),
    })?;
    teller.end();
    if args.output.json {
        super::json(&standings)?;
    } else {
        say!("{}", table(standings.ranking()));
        say!("{}", folder.join("report.md").display());
    }
    verdict(&standings)
}

/// A contest whose baseline fails a task ranks nothing.
pub(super) fn verdict(standings: &Standings) -> Result<ExitCode, Failure> {
    let scores = standings.ranking();
    match scores.of(&scores.baseline) {
        Some(base) if base.solved < scores.tasks => Err(Failure::new(
            Exit::Refused,
            format!("the baseline {} solves {} of {} tasks", scores.baseline, base.solved, scores.tasks),
        )
        .help("speed-ups over it mean nothing: take another --baseline, more --limit, or calibrate the targets")),
        _ => Ok(ExitCode::SUCCESS),
    }
}

pub(super) fn clock(clock: ClockArg) -> Clock {
    match clock {
        ClockArg::Work => Clock::Work,
        ClockArg::Wall => Clock::Wall,
    }
}

/// The tasks of a suite in plain Rust.
pub(super) fn suite(args: &ArenaRunArgs, said: &mut dyn FnMut(&str)) -> Result<Vec<Assignment>, Failure> {
    let entries = Entries::built_in();
    Ok(match args.suite {
        SuiteArg::Tiny => tiny()?,
        SuiteArg::Language => language(args.text.as_deref(), &entries, CALIBRATES)?,
        SuiteArg::Hidden => hidden(args.suite_seed, &entries, CALIBRATES, said)?,
        SuiteArg::Repair | SuiteArg::Cifar => unreachable!("the worker makes it"),
    })
}

fn chosen(tasks: Vec<Assignment>, args: &ArenaRunArgs) -> Result<Vec<Assignment>, Failure> {
    if args.tasks.is_empty() {
        return Ok(tasks);
    }
    args.tasks
        .iter()
        .map(|name| {
            tasks.iter().find(|t| t.name == *name).cloned().ok_or_else(|| {
                let known: Vec<&str> = tasks.iter().map(|t| t.name.as_str()).collect();
                Failure::new(Exit::Usage, format!("no task is called {name:?}"))
                    .help(format!("tasks of this suite: {}", known.join(", ")))
            })
        })
        .collect()
}

fn contenders(args: &ArenaRunArgs, entries: &Entries) -> Result<Vec<Contender>, Failure> {
    let mut names: Vec<&str> = vec![&args.baseline];
    if args.entries.is_empty() {
        names.extend(entries.list().map(|(name, _)| name));
    } else {
        names.extend(args.entries.iter().map(String::as_str));
        if !args.no_baselines {
            names.extend(ALWAYS);
        }
    }
    let mut contenders: Vec<Contender> = Vec::new();
    for name in names {
        let contender = Contender::named(name, entries)?;
        match contenders.iter().find(|c| c.name() == contender.name()) {
            None => contenders.push(contender),
            Some(same) if *same == contender => {}
            Some(_) => {
                return Err(Failure::new(Exit::Usage, format!("two entries are called {:?}", contender.name()))
                    .help("rename a file, or the folder of a train.py"));
            }
        }
    }
    Ok(contenders)
}

/// The folder of the contest, made.
fn folder(args: &ArenaRunArgs) -> Result<PathBuf, Failure> {
    if let Some(folder) = &args.output.output_dir {
        Contest::prepare(folder, args.output.overwrite)?;
        return Ok(folder.clone());
    }
    Ok(hybridrepair_runs::new_folder(Path::new("runs"), "arena")?)
}

/// Progress on standard error: a bar on a terminal, a line per run elsewhere.
struct Teller {
    quiet: bool,
    bar: ProgressBar,
}

impl Teller {
    fn new(args: &ArenaRunArgs) -> Self {
        let shown = !args.output.quiet && !args.output.no_progress && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        Self { quiet: args.output.quiet, bar: ProgressBar::with_draw_target(None, target) }
    }

    fn begin(&self, runs: u64) {
        let style = ProgressStyle::with_template("  [{bar:30}] {pos}/{len}  {eta} left  {msg}");
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_length(runs);
    }

    #[expect(clippy::print_stderr, reason = "progress goes to standard error, results to standard output")]
    fn remark(&self, text: &str) {
        if self.quiet {
        } else if self.bar.is_hidden() {
            eprintln!("  {text}");
        } else {
            self.bar.println(format!("  {text}"));
        }
    }

    fn ran(&self, trial: &Trial) {
        let line = format!(
            "{:<16} {:<16} seed {:<3} {:<8} work {:>9.0}  {:6.2} s{}",
            trial.task,
            trial.entry,
            trial.seed,
            trial.outcome.name(),
            trial.work,
            trial.seconds,
            trial.note.as_ref().map_or(String::new(), |n| format!("  {n}"))
        );
        self.bar.inc(1);
        // on a terminal the bar says enough, but for what went wrong
        if self.bar.is_hidden() || trial.outcome != Outcome::Reached {
            self.remark(&line);
        } else {
            self.bar.set_message(format!("{} {}", trial.task, trial.entry));
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
