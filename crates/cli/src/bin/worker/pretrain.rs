use crate::{
    failure::failure,
    progress::Terminal,
    recipe::{data_flags, read_recipe, set, whole},
    repair::run_dir,
};
use hybridrepair::{PretrainConfig, embed::pretrain::SelfSupervision, pretrain};
use hybridrepair_cli::{
    Exit, Failure,
    args::{PretrainArgs, PretrainMethod},
    say,
};
use hybridrepair_runs::{Layout, RunDir, from_table, overlay, read_config};
use std::{path::PathBuf, process::ExitCode};
use toml::{Table, Value};

/// `pretrain`
pub(crate) fn run(args: &PretrainArgs) -> Result<ExitCode, Failure> {
    let mut config = config(args)?;
    let dir = if args.resume {
        let Some(path) = &args.output.output_dir else {
            return Err(Failure::new(Exit::Usage, "--resume needs --output-dir").help("name the folder of the run"));
        };
        let dir = RunDir::open(path)?;
        config = read_config::<PretrainConfig>(&Layout::new(path).config())?;
        dir
    } else {
        // before the folder is touched: `--overwrite` must not cost a run for a mistyped path
        config.check().map_err(failure)?;
        config.data.load().map_err(failure)?;
        run_dir(&args.output, &format!("pretrain-{}-{}", config.data.name, config.method.name()))?
    };
    let mut terminal = Terminal::new(args.output.no_progress, args.output.quiet || args.output.json);
    let made = pretrain(&config, &dir, &mut terminal).map_err(failure)?;
    let knn = made.probe.map(|p| p.knn).filter(|k| k.is_finite());
    if args.output.json {
        let (spread, rank) = (made.probe.map(|p| p.spread), made.probe.map(|p| p.rank));
        let value = serde_json::json!({
            "extractor": made.extractor, "knn": knn, "spread": spread, "effective_rank": rank,
            "images_trained": made.images_trained,
        });
        say!("{value:#}");
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(knn) = knn {
        say!(
            "nearest neighbours name {:.2} % of the validation pictures; {} images trained",
            100.0 * knn,
            made.images_trained
        );
    }
    say!("extractor: {}", made.extractor.display());
    say!("use it: hybridrepair repair --extractor {}", made.extractor.display());
    Ok(ExitCode::SUCCESS)
}

/// From the method's own values, recipe and flags to resolved settings: each goes over the one before.
fn config(args: &PretrainArgs) -> Result<PretrainConfig, Failure> {
    let mut recipe = args.recipe.as_deref().map(read_recipe).transpose()?.unwrap_or_default();
    let in_recipe = recipe.get("method").and_then(|m| m.get("name")).and_then(Value::as_str);
    let named = match (args.method, in_recipe) {
        (Some(PretrainMethod::Mocov3), _) | (None, Some("mocov3")) => SelfSupervision::MOCOV3,
        _ => SelfSupervision::SIMCLR,
    };
    let name = named.name();
    // what the recipe says of another method than that of the flag is not for this one
    if in_recipe.is_some_and(|other| other != name) {
        recipe.remove("method");
    }
    let base = PretrainConfig::of(named);
    let mut table = Table::try_from(base).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    overlay(&mut table, recipe);
    let mut flags = Table::new();
    let mut method = Table::from_iter([("name".to_owned(), name.into())]);
    set(&mut method, "temperature", args.temperature.map(Value::from));
    set(&mut method, "source_labels", args.source_labels.then_some(Value::from(true)));
    flags.insert("method".to_owned(), method.into());
    let mut views = Table::new();
    set(&mut views, "rotate", args.rotate.map(Value::from));
    flags.insert("views".to_owned(), views.into());
    set(&mut flags, "model", args.model.clone().map(Value::from));
    set(&mut flags, "width", args.width.map(Value::from));
    set(&mut flags, "init", args.init.as_ref().map(|p| p.to_string_lossy().into_owned().into()));
    set(&mut flags, "epochs", args.epochs.map(|v| whole(v as u64)).transpose()?);
    set(&mut flags, "batch_size", args.batch_size.map(|v| whole(v as u64)).transpose()?);
    set(&mut flags, "half", args.half.then_some(Value::from(true)));
    set(&mut flags, "seed", args.runtime.seed.map(whole).transpose()?);
    set(&mut flags, "device", args.runtime.device.clone().map(Value::from));
    set(&mut flags, "threads", args.runtime.threads.map(|t| whole(t as u64)).transpose()?);
    if let Some(lr) = args.lr {
        flags.insert("schedule".to_owned(), Table::from_iter([("lr".to_owned(), lr.into())]).into());
    }
    flags.insert("data".to_owned(), data_flags(&args.data)?.into());
    overlay(&mut table, flags);
    let origin = args.recipe.clone().unwrap_or_else(|| PathBuf::from("(flags)"));
    let mut config: PretrainConfig = from_table(table, &origin)?;
    // absolute, so that the run can be resumed from anywhere
    let absolute = |path: PathBuf| std::path::absolute(path).map_err(|e| Failure::new(Exit::Unexpected, e));
    config.init = config.init.map(absolute).transpose()?;
    config.data.dir = config.data.dir.map(absolute).transpose()?;
    Ok(config)
}
