//! `early`: trains, repairs every checkpoint, and says when to stop.

use crate::{
    failure::failure,
    patch::part,
    progress::Terminal,
    recipe::{data_flags, read_recipe},
    repair::run_dir,
    show,
};
use hybridrepair::{EarlyConfig, EarlyReport, early};
use hybridrepair_cli::{Exit, Failure, args::EarlyArgs, say};
use hybridrepair_runs::{Layout, RunDir, from_table, overlay, read_config};
use std::{path::PathBuf, process::ExitCode};
use toml::{Table, Value};

/// `early`
pub(crate) fn run(args: &EarlyArgs) -> Result<ExitCode, Failure> {
    let mut config = config(args)?;
    let dir = if args.resume {
        let Some(path) = &args.output.output_dir else {
            return Err(Failure::new(Exit::Usage, "--resume needs --output-dir").help("name the folder of the run"));
        };
        let dir = RunDir::open(path)?;
        config = read_config::<EarlyConfig>(&Layout::new(path).config())?;
        dir
    } else {
        config.check().map_err(failure)?;
        run_dir(&args.output, &format!("early-{}-{}", config.train.data.name, config.train.model))?
    };
    let mut terminal = Terminal::new(args.output.no_progress, args.output.quiet || args.output.json);
    let report = early(&config, &dir, &mut terminal).map_err(failure)?;
    if args.output.json {
        show::json(&report)?;
    } else {
        print(&report);
        say!("report: {}", dir.path().join("early.html").display());
    }
    Ok(ExitCode::SUCCESS)
}

fn config(args: &EarlyArgs) -> Result<EarlyConfig, Failure> {
    let mut table = Table::try_from(EarlyConfig::default()).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    if let Some(file) = &args.recipe {
        overlay(&mut table, read_recipe(file)?);
    }
    let whole =
        |n: u64| i64::try_from(n).map(Value::from).map_err(|_| Failure::new(Exit::Usage, format!("{n} is too large")));
    let words = |list: &Vec<String>| Value::from(list.clone());
    let mut flags = Table::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            flags.insert(key.to_owned(), value);
        }
    };
    let epochs = |list: &Vec<usize>| list.iter().map(|&e| whole(e as u64)).collect::<Result<Vec<_>, _>>();
    set("epochs", args.epochs.as_ref().map(epochs).transpose()?.map(Value::from));
    set("repair_classes", args.repair_class.as_ref().map(words));
    set("repair_seeds", args.repair_seeds.map(whole).transpose()?);
    set("runs", args.runs.map(whole).transpose()?);
    set("methods", args.methods.as_ref().map(words));
    let name = |split| part(split).map(|p| Value::from(format!("{p:?}").to_lowercase()));
    set("part", args.part.map(name).transpose()?);
    set("budget", args.budget.map(|b| b.to_string().into()));
    set("lambda", args.lambda.map(Value::from));
    set("gpus", args.gpus.map(|n| whole(n as u64)).transpose()?);
    set("first_gpu", args.first_gpu.map(|n| whole(n as u64)).transpose()?);
    set("min_free_mb", args.min_free_mb.map(whole).transpose()?);
    let mut train = Table::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            train.insert(key.to_owned(), value);
        }
    };
    set("model", args.model.clone().map(Value::from));
    set("width", args.width.map(Value::from));
    set("batch_size", args.batch_size.map(|n| whole(n as u64)).transpose()?);
    set("seed", args.runtime.seed.map(whole).transpose()?);
    set("device", args.runtime.device.clone().map(Value::from));
    set("threads", args.runtime.threads.map(|n| whole(n as u64)).transpose()?);
    set("data", Some(data_flags(&args.data)?.into()));
    flags.insert("train".to_owned(), train.into());
    overlay(&mut table, flags);
    let origin = args.recipe.clone().unwrap_or_else(|| PathBuf::from("(flags)"));
    Ok(from_table(table, &origin)?)
}

fn print(report: &EarlyReport) {
    let [search, choice, test] = report.samples;
    say!("{search} samples to search on, {choice} to choose by, {test} to judge by");
    let pc = |v: f64| 100.0 * v;
    for c in &report.classes {
        say!("run {}, class {}, {}: switch at epoch {}", c.run, c.class_name, c.method, c.switch_epoch);
        say!(
            "  {:>5} {:>5} {:>15} {:>15} {:>12} {:>12} {:>16} {:>7}",
            "epoch",
            "group",
            "class",
            "all",
            "repair rate",
            "break rate",
            "above threshold",
            "chosen"
        );
        for r in &c.rows {
            let (class, all) = ((pc(r.base.class), pc(r.class.mean)), (pc(r.base.total), pc(r.total.mean)));
            say!(
                "  {:>5} {:>5} {:>6.2} -> {:>5.2} {:>6.2} -> {:>5.2} {:>10.1} % {:>10.2} % {:>+16.1} {:>3} / {}",
                r.epoch,
                r.group,
                class.0,
                class.1,
                all.0,
                all.1,
                pc(r.rr.mean),
                pc(r.br.mean),
                pc(r.above.mean),
                r.admissible.0,
                r.admissible.1
            );
        }
    }
    say!("best repaired checkpoint: before convergence / at it / none may be chosen");
    for (method, rules) in &report.counts {
        for (rule, slots) in rules {
            let cells = report.alphas.iter().zip(slots).map(|(a, [x, y, z])| format!("alpha {a}: {x} / {y} / {z}"));
            say!("  {method:<10} {:<10} {}", format!("{rule:?}").to_lowercase(), cells.collect::<Vec<_>>().join("   "));
        }
    }
}
