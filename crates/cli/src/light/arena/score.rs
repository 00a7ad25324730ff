use super::run::{clock, verdict};
use crate::{
    Exit, Failure,
    args::{ArenaCalibrateArgs, ArenaScoreArgs},
    say,
};
use hybridrepair_arena::{Assignment, Entries, calibrate as find_target, conclude, language, rescore, table, tiny};
use serde_json::json;
use std::process::ExitCode;

/// `arena score`
pub(super) fn run(args: &ArenaScoreArgs) -> Result<ExitCode, Failure> {
    let (plan, trials, standings) = rescore(&args.dirs, args.clock.map(clock))?;
    if let [folder] = &args.dirs[..] {
        conclude(folder, &plan, &trials, standings.ranked_by)?;
    }
    if args.json {
        super::json(&standings)?;
    } else {
        say!("{}", table(standings.ranking()));
    }
    verdict(&standings)
}

/// The tasks in plain Rust that have targets.
pub(super) fn tasks(args: &ArenaCalibrateArgs) -> Result<Vec<Assignment>, Failure> {
    if args.task == "language" || args.text.is_some() {
        return Ok(language(args.text.as_deref(), &Entries::built_in(), &args.baseline)?);
    }
    Ok(tiny()?)
}

/// `arena calibrate` of one of the tasks that `tasks` makes.
///
/// # Errors
/// When none is called so, or the baseline does not reach a target reliably.
pub fn calibrate(
    args: &ArenaCalibrateArgs,
    tasks: impl FnOnce() -> Result<Vec<Assignment>, Failure>,
) -> Result<ExitCode, Failure> {
    let entries = Entries::built_in();
    let tasks = tasks()?;
    let task = tasks.iter().find(|t| t.name == args.task).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("no task is called {:?}", args.task))
            .help("`hybridrepair arena list` shows the tasks; others are language, repair-s0 to repair-s2 and cifar")
    })?;
    let found = find_target(task, &entries, &args.baseline)?;
    if args.json {
        super::json(
            &json!({"task": task.name, "target": found.target, "budget": task.budget, "reached": found.reached}),
        )?;
    } else {
        say!("{}: target {:.3} (now {:.3})", task.name, found.target, task.target);
        let works: Vec<String> = found.reached.iter().map(|w| format!("{w:.0}")).collect();
        say!("  {} reaches it after {} of {:.0} examples", args.baseline, works.join(", "), task.budget);
    }
    Ok(ExitCode::SUCCESS)
}
