use crate::{
    doctor::{self, told},
    failure::failure,
    progress::Terminal,
    recipe::{read_recipe, train_config, tune_config},
    repair::run_dir,
    show,
};
use hybridrepair::{TrainConfig, Trained, TuneConfig, doctor::Mode, train, tune, with_choice};
use hybridrepair_cli::{
    Exit, Failure,
    args::{Rate, TrainArgs},
    say,
};
use hybridrepair_core::metrics::MeanInterval;
use hybridrepair_runs::{Layout, RunDir, read_config, read_table, write_config, write_json};
use serde_json::json;
use std::process::ExitCode;

/// `train`
pub(crate) fn run(args: &TrainArgs) -> Result<ExitCode, Failure> {
    if args.demo.is_some() {
        return doctor::run(args, None);
    }
    if let Some(file) = &args.setting.recipe {
        let recipe = read_recipe(file)?;
        if recipe.contains_key("plan") {
            return doctor::run(args, Some((recipe, file.as_path())));
        }
    } else if let (true, Some(path)) = (args.resume, &args.output.output_dir) {
        // which kind of run it is, its configuration says
        let config = Layout::new(path).config();
        if config.is_file() && read_table(&config)?.contains_key("plan") {
            return doctor::run(args, None);
        }
    }
    let mut config = train_config(args)?;
    doctor::monitor_flags(args, &mut config.monitor)?;
    let mut search = (args.lr == Some(Rate::Auto)).then(|| tune_config(&args.search, config.clone()));
    let dir = if args.resume {
        let Some(path) = &args.output.output_dir else {
            return Err(Failure::new(Exit::Usage, "--resume needs --output-dir").help("name the folder of the run"));
        };
        let dir = RunDir::open(path)?;
        config = read_config::<TrainConfig>(&Layout::new(path).config())?;
        // a rate that was being looked for is looked for again
        let file = dir.layout().tune().join("config.toml");
        search = if file.is_file() { Some(read_config::<TuneConfig>(&file)?) } else { None };
        dir
    } else {
        // before the folder is touched: `--overwrite` must not cost a run for a mistyped path
        match &search {
            Some(search) => search.check(),
            None => config.check(),
        }
        .map_err(failure)?;
        run_dir(&args.output, &format!("train-{}-{}", config.data.name, config.model))?
    };
    let mut terminal = Terminal::new(args.output.no_progress, args.output.quiet || args.output.json);
    if let Some(search) = &search {
        if !args.resume {
            write_config(&dir.layout().config(), &config)?;
        }
        let tuned = tune(search, &dir.layout().tune(), &mut terminal).map_err(failure)?;
        if !args.output.json && !args.output.quiet {
            crate::tune::print(&tuned);
        }
        config = with_choice(&config, &tuned.choice);
    }
    if args.trials == 1 {
        let trained = train(&config, &dir, &mut terminal).map_err(failure)?;
        return Ok(one(args, &config, &dir, &trained));
    }
    write_config(&dir.layout().config(), &config)?;
    let mut rows = Vec::new();
    for trial in 0..args.trials {
        let config = TrainConfig { seed: config.seed.wrapping_add(trial), ..config.clone() };
        let folder = dir.layout().trials().join(format!("seed-{}", config.seed));
        let known = Layout::new(&folder).config().is_file();
        let run = if known { RunDir::open(&folder)? } else { RunDir::create(&folder, false)? };
        let trained = train(&config, &run, &mut terminal).map_err(failure)?;
        rows.push((config.seed, trained, run.layout().checkpoint("best")));
    }
    several(args, &config, &dir, &rows)
}

fn one(args: &TrainArgs, config: &TrainConfig, dir: &RunDir, trained: &Trained) -> ExitCode {
    let best = dir.layout().checkpoint("best");
    if let Some(treated) = &trained.treated {
        told(treated, &config.monitor, dir.layout(), args.output.json);
        return if treated.refused(Mode::Repair) { Exit::Refused.into() } else { ExitCode::SUCCESS };
    }
    if args.output.json {
        let value = json!({
            "checkpoint": best, "parameters": trained.parameters, "epoch": trained.best + 1,
            "val": trained.val.get(trained.best), "images_trained": trained.images_trained, "lr": config.schedule.peak(),
            "problems": trained.findings,
        });
        say!("{value:#}");
    } else {
        let val = 100.0 * trained.val.get(trained.best).copied().unwrap_or(0.0);
        let (epoch, parameters) = (trained.best + 1, trained.parameters);
        say!("best epoch {epoch}: {val:.2} % on the validation split; {parameters} parameters");
        for f in &trained.findings {
            say!("problem after epoch {}: {}\n  {}", f.epoch + 1, f.problem, f.evidence);
        }
        say!("checkpoint: {}", best.display());
    }
    let stopped = config.monitor.mode == Mode::Stop && !trained.findings.is_empty();
    if stopped { Exit::Refused.into() } else { ExitCode::SUCCESS }
}

/// Several trainings in a table, also in `trials.json`.
fn several(
    args: &TrainArgs,
    config: &TrainConfig,
    dir: &RunDir,
    rows: &[(u64, Trained, std::path::PathBuf)],
) -> Result<ExitCode, Failure> {
    let of = |t: &Trained| t.val.get(t.best).copied().unwrap_or(0.0);
    let vals = rows.iter().map(|(_, t, _)| of(t)).collect::<Vec<_>>();
    let mean = MeanInterval::of(&vals);
    let trials = rows.iter().map(|(seed, t, file)| {
        json!({ "seed": seed, "epoch": t.best + 1, "val": of(t), "checkpoint": dir.layout().relative(file) })
    });
    let value = json!({
        "format_version": 1, "lr": config.schedule.peak(), "mean": mean.mean, "half_width": mean.half_width,
        "trials": trials.collect::<Vec<_>>(),
    });
    write_json(&dir.layout().trials().join("trials.json"), &value)?;
    if args.output.json {
        show::json(&value)?;
    } else {
        for (seed, t, file) in rows {
            say!(
                "seed {seed}: best epoch {}, {:.2} % on the validation split; {}",
                t.best + 1,
                100.0 * of(t),
                file.display()
            );
        }
        say!("mean {:.2} ± {:.2} % (95 %)", 100.0 * mean.mean, 100.0 * mean.half_width);
    }
    Ok(ExitCode::SUCCESS)
}
