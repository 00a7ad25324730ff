//! Trainings of editable plans: `train` with a recipe that has a `[plan]`, or with `--demo`.

use crate::{failure::failure, progress::Terminal, repair::run_dir};
use hybridrepair::{
    doctor::{Ending, Finding, Mode, MonitorSettings, Trial, Verdict},
    doctoring::{PlanRecipe, Treated, treat},
};
use hybridrepair_cli::{
    Exit, Failure,
    args::{Rate, TrainArgs},
    say,
};
use hybridrepair_runs::{Layout, RunDir, from_table, read_config};
use std::{path::Path, process::ExitCode};
use toml::Table;

/// Takes over the flags of the monitor.
pub(crate) fn monitor_flags(args: &TrainArgs, monitor: &mut MonitorSettings) -> Result<(), Failure> {
    if let Some(mode) = &args.monitor {
        monitor.mode = mode.parse()?;
    }
    if let Some(profile) = &args.profile {
        monitor.profile = profile.parse()?;
        if monitor.profile != hybridrepair::doctor::ProfileName::House {
            // the published search has no first look and no margin
            let published = MonitorSettings::published();
            (monitor.short, monitor.margin) = (published.short, published.margin);
        }
    }
    if let Some(models) = args.budget_models {
        monitor.budget_models = Some(models);
    }
    if let Some(time) = &args.budget_time {
        monitor.budget_seconds = Some(seconds(time)?);
    }
    Ok(monitor.check()?)
}

/// `90s`, `10m`, `2h`, or a number of seconds.
fn seconds(text: &str) -> Result<f64, Failure> {
    let (number, unit) = match text.chars().last() {
        Some('s') => (&text[..text.len() - 1], 1.0),
        Some('m') => (&text[..text.len() - 1], 60.0),
        Some('h') => (&text[..text.len() - 1], 3600.0),
        _ => (text, 1.0),
    };
    number.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0).map(|n| n * unit).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("budget time {text:?} is no time")).help("write 90s, 10m or 2h")
    })
}

/// `train` with an editable plan.
pub(crate) fn run(args: &TrainArgs, recipe: Option<(Table, &Path)>) -> Result<ExitCode, Failure> {
    refuse_other_flags(args)?;
    let (recipe, dir) = if args.resume {
        let path = args.output.output_dir.as_deref().unwrap_or(Path::new("."));
        (read_config::<PlanRecipe>(&Layout::new(path).config())?, RunDir::open(path)?)
    } else {
        let (mut recipe, name) = match (recipe, &args.demo) {
            (Some((table, path)), _) => {
                let recipe: PlanRecipe = from_table(table, path)?;
                let stem = path.file_stem().map_or("plan".to_owned(), |s| s.to_string_lossy().into_owned());
                (recipe, format!("train-{stem}"))
            }
            (None, Some(demo)) => (PlanRecipe::demo(demo).map_err(failure)?, format!("demo-{demo}")),
            (None, None) => return Err(Failure::new(Exit::Usage, "there is no recipe")),
        };
        if args.demo.is_some() && args.monitor.is_none() {
            // a demo shows what the monitor does about it
            recipe.monitor.mode = Mode::Repair;
        }
        set(args, &mut recipe)?;
        // before the folder is touched: `--overwrite` must not cost a run for a mistyped setting
        recipe.check().map_err(failure)?;
        let dir = run_dir(&args.output, &name)?;
        (recipe, dir)
    };
    let mut terminal = Terminal::new(args.output.no_progress, args.output.quiet || args.output.json);
    let treated = treat(&recipe, &dir, &mut terminal).map_err(failure)?;
    told(&treated, &recipe.monitor, dir.layout(), args.output.json);
    Ok(if treated.refused(recipe.monitor.mode) { Exit::Refused.into() } else { ExitCode::SUCCESS })
}

fn set(args: &TrainArgs, recipe: &mut PlanRecipe) -> Result<(), Failure> {
    monitor_flags(args, &mut recipe.monitor)?;
    if let Some(seed) = args.setting.runtime.seed {
        recipe.seed = seed;
    }
    if let Some(device) = &args.setting.runtime.device {
        recipe.device.clone_from(device);
    }
    recipe.threads = args.setting.runtime.threads.or(recipe.threads);
    recipe.plan.epochs = args.setting.epochs.unwrap_or(recipe.plan.epochs);
    recipe.plan.batch_size = args.setting.batch_size.unwrap_or(recipe.plan.batch_size);
    recipe.plan.optimizer.lr = match args.lr {
        None => recipe.plan.optimizer.lr,
        Some(Rate::Fixed(lr)) => lr,
        Some(Rate::Auto) => {
            return Err(Failure::new(Exit::Usage, "--lr auto finds the rate of a training on pictures, not of a plan")
                .help("give the rate in numbers; `--monitor repair` changes it where it is wrong"));
        }
    };
    Ok(())
}

/// Flags that speak of built-in networks have no meaning for a plan.
fn refuse_other_flags(args: &TrainArgs) -> Result<(), Failure> {
    let other = [
        ("--model", args.setting.model.is_some()),
        ("--width", args.setting.width.is_some()),
        ("--half", args.half),
        ("--with-field-labels", args.with_field_labels),
    ];
    match other.into_iter().find(|(_, given)| *given) {
        Some((flag, _)) => {
            Err(Failure::new(Exit::Usage, format!("{flag} does not go with a recipe that has a [plan]"))
                .help("the network stands in [plan.net]; take the flag away"))
        }
        None => Ok(()),
    }
}

/// Says what training under watch came to.
pub(crate) fn told(treated: &Treated, monitor: &MonitorSettings, layout: &Layout, json: bool) {
    let best = layout.checkpoint("best");
    if json {
        let attempts = treated.outcome.as_ref().map(|o| &o.attempts);
        let control = treated.control.as_ref().map(|c| serde_json::json!({
            "val_acc": number(c.trial.settled), "models": c.attempts.len(), "remedy": c.attempts.iter().find(|a| a.trial == c.trial).map(|a| &a.change),
        }));
        let value = serde_json::json!({
            "checkpoint": best.is_file().then_some(&best),
            "before": { "epochs": treated.before.epochs, "val_acc": number(treated.before.settled), "problems": treated.findings },
            "after": treated.outcome.as_ref().map(|o| serde_json::json!({
                "ending": format!("{:?}", o.ending), "val_acc": number(o.trial.settled), "training": o.trial.name, "models": o.models,
            })),
            "attempts": attempts, "control": control,
        });
        say!("{value:#}");
        return;
    }
    let Trial { epochs, best_acc, .. } = &treated.before;
    say!("{epochs} epochs, best validation accuracy {}", percent(*best_acc));
    if monitor.mode != Mode::Off && treated.findings.is_empty() {
        say!("no problem by the rules {}", monitor.profile);
    }
    for Finding { problem, epoch, evidence, .. } in &treated.findings {
        say!("problem after epoch {}: {problem}", epoch + 1);
        say!("  {evidence}");
    }
    if let Some(outcome) = &treated.outcome {
        say!("");
        say!("{:<6} {:<14} {:>6} {:>8} {:>8}  change", "round", "verdict", "epochs", "val", "seconds");
        for a in &outcome.attempts {
            let verdict = verdict(a.verdict);
            let acc = percent(a.trial.settled);
            say!("{:<6} {verdict:<14} {:>6} {acc:>8} {:>8.1}  {}", a.round, a.trial.epochs, a.trial.seconds, a.change);
        }
        let ending = match outcome.ending {
            Ending::Solved => "solved",
            Ending::NothingHelped => "no remedy helped",
            Ending::Cycle => "one problem became another and came back",
            Ending::Rounds => "all rounds are used",
            Ending::Budget => "the budget is used",
        };
        say!(
            "{ending}: {} instead of {}, for {:.1} trainings",
            percent(outcome.trial.settled),
            percent(treated.before.settled),
            outcome.models
        );
    }
    if let Some(control) = &treated.control {
        say!("remedies drawn at random, at the same cost: {}", percent(control.trial.settled));
    }
    if best.is_file() {
        say!("checkpoint: {}", best.display());
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Solved => "solved",
        Verdict::QuietButPoor => "quiet but poor",
        Verdict::Changed => "changed",
        Verdict::Failed => "failed",
        Verdict::Looked => "first look",
    }
}

/// An accuracy in words.
fn percent(acc: f64) -> String {
    if acc.is_finite() { format!("{:.2} %", 100.0 * acc) } else { "-".to_owned() }
}

fn number(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, want) in [("90s", 90.0), ("10m", 600.0), ("2h", 7200.0), ("5", 5.0)] {
            assert_eq!(seconds(text).ok(), Some(want), "{text}");
        }
        assert!(seconds("soon").is_err() && seconds("-1m").is_err() && seconds("").is_err());
    }
}
