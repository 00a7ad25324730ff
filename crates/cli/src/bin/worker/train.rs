use crate::{failure::failure, progress::Terminal, recipe::train_config, repair::run_dir};
use hybridrepair::{TrainConfig, train};
use hybridrepair_cli::say;
use hybridrepair_cli::{Exit, Failure, args::TrainArgs};
use hybridrepair_runs::{Layout, RunDir, read_config};
use std::process::ExitCode;

/// `train`
pub(crate) fn run(args: &TrainArgs) -> Result<ExitCode, Failure> {
    let mut config = train_config(args)?;
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
    if args.output.json {
        let value = serde_json::json!({
            "checkpoint": best, "parameters": trained.parameters, "epoch": trained.best + 1,
            "val": trained.val.get(trained.best), "images_trained": trained.images_trained,
        });
        say!("{value:#}");
    } else {
        let val = 100.0 * trained.val.get(trained.best).copied().unwrap_or(0.0);
        let (epoch, parameters) = (trained.best + 1, trained.parameters);
        say!("best epoch {epoch}: {val:.2} % on the validation split; {parameters} parameters");
        say!("checkpoint: {}", best.display());
    }
    Ok(ExitCode::SUCCESS)
}
