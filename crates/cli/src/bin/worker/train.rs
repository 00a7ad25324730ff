use crate::{
    doctor::{self, told},
    failure::failure,
    progress::Terminal,
    recipe::{read_recipe, train_config},
    repair::run_dir,
};
use hybridrepair::{TrainConfig, doctor::Mode, train};
use hybridrepair_cli::say;
use hybridrepair_cli::{Exit, Failure, args::TrainArgs};
use hybridrepair_runs::{Layout, RunDir, read_config, read_table};
use std::process::ExitCode;

/// `train`
pub(crate) fn run(args: &TrainArgs) -> Result<ExitCode, Failure> {
    if args.demo.is_some() {
        return doctor::run(args, None);
    }
    if let Some(file) = &args.recipe {
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
    let dir = if args.resume {
        let Some(path) = &args.output.output_dir else {
            return Err(Failure::new(Exit::Usage, "--resume needs --output-dir").help("name the folder of the run"));
        };
        let dir = RunDir::open(path)?;
        config = read_config::<TrainConfig>(&Layout::new(path).config())?;
        dir
    } else {
        // before the folder is touched: `--overwrite` must not cost a run for a mistyped path
        config.check().map_err(failure)?;
        run_dir(&args.output, &format!("train-{}-{}", config.data.name, config.model))?
    };
    let mut terminal = Terminal::new(args.output.no_progress, args.output.quiet || args.output.json);
    let trained = train(&config, &dir, &mut terminal).map_err(failure)?;
    let best = dir.layout().checkpoint("best");
    if let Some(treated) = &trained.treated {
        told(treated, &config.monitor, dir.layout(), args.output.json);
        return Ok(if treated.refused(Mode::Repair) { Exit::Refused.into() } else { ExitCode::SUCCESS });
    }
    if args.output.json {
        let value = serde_json::json!({
            "checkpoint": best, "parameters": trained.parameters, "epoch": trained.best + 1,
            "val": trained.val.get(trained.best), "images_trained": trained.images_trained,
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
    Ok(if stopped { Exit::Refused.into() } else { ExitCode::SUCCESS })
}
