use crate::{Exit, Failure, args::ExamineArgs, say};
use hybridrepair_doctor::{Facts, Finding, History, MonitorSettings, Reading, ReadingLine, Score, replay, rules};
use hybridrepair_runs::{Layout, Metric, RunsError, from_table, read_lines, read_table};
use std::{collections::BTreeMap, path::Path, process::ExitCode};
use toml::{Table, Value};

/// `examine`
pub(super) fn run(args: &ExamineArgs) -> Result<ExitCode, Failure> {
    let layout = Layout::new(&args.run);
    if !layout.config().is_file() {
        return Err(Failure::new(Exit::Usage, format!("{} is no run: it has no config.toml", args.run.display()))
            .help("name the folder of a run, as `train` and `repair` write it"));
    }
    let config = read_table(&layout.config())?;
    let settings = settings(args, &config)?;
    let mut judged = Vec::new();
    let file = match &args.attempt {
        Some(name) => layout.attempt_readings().join(format!("{name}.jsonl")),
        None => layout.readings(),
    };
    if file.is_file() {
        let name = args.attempt.as_deref().unwrap_or("training");
        judged.push(judge(name, &read_readings(&file)?, &settings));
    } else if args.attempt.is_some() {
        return Err(Failure::new(Exit::Usage, format!("{} is not there", file.display()))
            .help("attempts.jsonl has the names of the attempts"));
    } else {
        // a run that was not watched has learning curves all the same
        for (stage, readings) in of_metrics(&layout, &config)? {
            judged.push(judge(&stage, &readings, &settings));
        }
    }
    if judged.is_empty() {
        return Err(Failure::new(Exit::Input, format!("{} has no training to judge", args.run.display()))
            .help("metrics.jsonl and readings.jsonl are written by `train` and `repair`"));
    }
    if args.json {
        let rows = judged.iter().map(|j| {
            serde_json::json!({
                "training": j.name, "epochs": j.readings, "probes": j.probes, "problems": j.findings,
                "best_val_acc": Some(j.best).filter(|b| b.is_finite()),
            })
        });
        say!(
            "{:#}",
            serde_json::json!({ "profile": settings.profile.to_string(), "trainings": rows.collect::<Vec<_>>() })
        );
    } else {
        for j in &judged {
            show(j, &settings);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A training and what the rules say to it.
struct Judged {
    name: String,
    readings: usize,
    probes: usize,
    best: f64,
    findings: Vec<Finding>,
}

fn show(judged: &Judged, settings: &MonitorSettings) {
    let Judged { name, readings, probes, best, findings } = judged;
    let profile = settings.profile;
    let best =
        if best.is_finite() { format!(", best validation accuracy {:.2} %", 100.0 * best) } else { String::new() };
    say!("{name}: {readings} epochs, {probes} with gradients{best}");
    if *probes == 0 {
        say!("  only learning curves are judged: gradients were not recorded");
    }
    if findings.is_empty() {
        say!("  no problem by the rules {profile}");
    }
    for f in findings {
        let Finding { problem, epoch, since, evidence } = f;
        say!("  {problem}, reported after epoch {} (since epoch {}) by the rules {profile}", epoch + 1, since + 1);
        say!("    {evidence}");
    }
}

/// Readings and what must be known beside.
struct Readings {
    facts: Facts,
    readings: Vec<Reading>,
}

fn judge(name: &str, of: &Readings, settings: &MonitorSettings) -> Judged {
    let findings = replay(&of.facts, &of.readings, &mut *rules(settings), false);
    let history = History { facts: &of.facts, readings: &of.readings };
    Judged {
        name: name.to_owned(),
        readings: of.readings.len(),
        probes: of.readings.iter().filter(|r| r.probe.is_some()).count(),
        best: history.val_acc().into_iter().fold(f64::NAN, f64::max),
        findings,
    }
}

/// The run's own settings, a recipe's, and what was asked for here.
fn settings(args: &ExamineArgs, config: &Table) -> Result<MonitorSettings, Failure> {
    let (table, origin) = match &args.thresholds {
        Some(file) => (read_table(file)?, file.clone()),
        None => (config.clone(), args.run.join("config.toml")),
    };
    let mut settings = match table.get("monitor") {
        Some(Value::Table(monitor)) => from_table(monitor.clone(), &origin)?,
        _ => MonitorSettings::default(),
    };
    if let Some(profile) = &args.profile {
        settings.profile = profile.parse()?;
    }
    if let Some(good) = args.good {
        settings.thresholds.good = Some(good);
    }
    settings.check()?;
    Ok(settings)
}

fn read_readings(file: &Path) -> Result<Readings, Failure> {
    let mut facts = None;
    let mut readings = Vec::new();
    for line in read_lines::<ReadingLine>(file)?.rows {
        match line {
            ReadingLine::Facts(f) => facts = Some(f),
            ReadingLine::Reading(r) => readings.push(r),
        }
    }
    let facts = facts.ok_or_else(|| {
        Failure::new(
            Exit::Input,
            format!("{} does not say what was trained: its first line is missing", file.display()),
        )
        .help("the file is damaged; metrics.jsonl has the learning curves still")
    })?;
    Ok(Readings { facts, readings })
}

/// Epochs of every training stage in `metrics.jsonl`; a repeated epoch counts as its last line. What the file does not say
/// is taken from the configuration, and chance from the number of classes where there is one.
fn of_metrics(layout: &Layout, config: &Table) -> Result<Vec<(String, Readings)>, Failure> {
    if !layout.metrics().is_file() {
        return Ok(Vec::new());
    }
    let mut stages: BTreeMap<String, BTreeMap<u64, Reading>> = BTreeMap::new();
    for m in read_lines::<Metric>(&layout.metrics()).map_err(|e: RunsError| Failure::from(e))?.rows {
        let (Some(epoch), Some(_)) = (m.epoch.filter(|e| *e > 0), m.lr) else { continue };
        let known = |x: Option<f64>| x.unwrap_or(f64::NAN);
        let more = |name: &str| known(m.more.get(name).copied().flatten());
        let val = if m.split.as_deref() == Some("val") { known(m.acc1) } else { f64::NAN };
        let reading = Reading {
            epoch: epoch as usize - 1,
            train: Score { loss: known(m.loss), acc: more("train_acc") },
            val: Score { loss: more("val_loss"), acc: val },
            diverged: m.loss.is_none(),
            probe: None,
        };
        stages.entry(m.stage).or_default().insert(epoch, reading);
    }
    let number = |key: &str| config.get(key).and_then(Value::as_integer).and_then(|n| usize::try_from(n).ok());
    Ok(stages
        .into_iter()
        .map(|(stage, epochs)| {
            let readings = epochs.into_values().collect::<Vec<_>>();
            let wished = if stage == "train" { number("epochs") } else { None };
            let facts = Facts {
                epochs: wished.unwrap_or(0).max(readings.len()),
                interval: 1,
                classes: 0,
                chance: 0.0,
                train_samples: 0,
                val_samples: 0,
                output: None,
            };
            (stage, Readings { facts, readings })
        })
        .collect())
}
