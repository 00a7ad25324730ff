//! From preset, recipe and flags to resolved settings: each goes over the one before.

use crate::failure::failure;
use hybridrepair::{Error, Preset, RepairConfig, TrainConfig, TuneConfig, embed::Extractor, tuning::Variant};
use hybridrepair_cli::{
    Exit, Failure,
    args::{DataArgs, EvbmfArg, ExtractorArgs, Rate, RepairSettingsArgs, SearchArgs, TrainArgs, TrainSettingsArgs},
};
use hybridrepair_runs::{RunsError, from_table, overlay, read_table};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The folder with `recipes/` and `checkpoints/`: `HYBRIDREPAIR_HOME`, else the clone that this program was built in.
pub(crate) fn home() -> PathBuf {
    std::env::var_os("HYBRIDREPAIR_HOME")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), PathBuf::from)
}

/// The settings of a repair.
pub(crate) fn repair_config(args: &RepairSettingsArgs, more: Table) -> Result<RepairConfig, Failure> {
    let dataset = args.data.dataset.as_deref();
    // the built-in run has its recipe; other data begins from the preset alone
    let builtin = (args.config.is_none() && args.data.field.is_none() && dataset.is_none_or(|d| d == "signs"))
        .then(|| home().join("recipes/signs.toml"));
    let file = args.config.clone().or(builtin);
    let mut recipe = match &file {
        Some(file) => read_recipe(file)?,
        None => Table::new(),
    };
    if let Some(preset) = args.preset {
        recipe.insert("preset".to_owned(), preset.name().into());
    }
    let preset = match recipe.get("preset") {
        None => Preset::Default,
        Some(value) => value.clone().try_into::<Preset>().map_err(|e| Failure::new(Exit::Usage, e))?,
    };
    let mut table = Table::try_from(RepairConfig::preset(preset)).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    let builtin_data =
        dataset.map_or_else(|| names_signs(&recipe), |name| name == "signs") && args.data.field.is_none();
    if preset == Preset::Published && builtin_data {
        let file = shipped(PUBLISHED_ON_SIGNS);
        // a copy of the tool without its checkpoints has the model's own features
        if is_file(&file) {
            table.insert("extractor".to_owned(), file.into());
        }
    }
    overlay(&mut table, recipe);
    // a model of the flags replaces that of the recipe, whichever kind it is
    if args.torchscript.is_some() {
        table.remove("checkpoint");
    }
    if args.checkpoint.is_some() {
        table.remove("torchscript");
    }
    overlay(&mut table, repair_flags(args)?);
    overlay(&mut table, more);
    let origin = file.unwrap_or_else(|| PathBuf::from("(flags)"));
    let mut config: RepairConfig = from_table(table, &origin)?;
    // absolute, so that the run can be resumed from anywhere and its `config.toml` taken as a recipe
    let whole = |path: &Path| std::path::absolute(path).map_err(|e| Failure::new(Exit::Unexpected, e));
    config.checkpoint = config.checkpoint.as_deref().map(whole).transpose()?;
    config.torchscript = config.torchscript.as_deref().map(whole).transpose()?;
    config.data.dir = config.data.dir.as_deref().map(whole).transpose()?;
    if let Some(folders) = &mut config.data.folders {
        let each = [&mut folders.train, &mut folders.val, &mut folders.holdout].into_iter().flatten();
        for path in each.chain([&mut folders.field]) {
            *path = whole(path)?;
        }
    }
    if let Some((train, val)) = &config.data.split_files {
        config.data.split_files = Some((whole(train)?, whole(val)?));
    }
    config.extractor = shipped(&config.extractor);
    if is_file(&config.extractor) {
        config.extractor = whole(Path::new(&config.extractor))?.to_string_lossy().into_owned();
    }
    Ok(config)
}

/// The published method stands on an extractor that never saw a label; on the built-in data it has ours, which is four points
/// better there than the model's own features (docs/numbers/features.md).
const PUBLISHED_ON_SIGNS: &str = "signs-extractor-w025";

/// Whether a recipe's data are the built-in ones.
fn names_signs(recipe: &Table) -> bool {
    let data = recipe.get("data");
    data.and_then(|d| d.get("name")).is_none_or(|name| name.as_str() == Some("signs"))
        && data.is_none_or(|d| d.get("folders").is_none())
}

/// Whether an extractor is named by a path.
fn is_file(extractor: &str) -> bool {
    extractor.parse::<Extractor>().is_ok_and(|e| e.file().is_some())
}

/// Reads a recipe; its relative paths count from its own folder.
pub(crate) fn read_recipe(file: &Path) -> Result<Table, Failure> {
    let mut table = read_table(file).map_err(|error| match error {
        RunsError::Io { .. } => Failure::new(Exit::Usage, &error).help("check the path of the recipe"),
        error => failure(Error::Runs(error)),
    })?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let rebase = |value: &mut Value| {
        if let Value::String(path) = value
            && Path::new(path.as_str()).is_relative()
        {
            *path = folder.join(path.as_str()).to_string_lossy().into_owned();
        }
    };
    for key in ["checkpoint", "torchscript", "init"] {
        if let Some(value) = table.get_mut(key) {
            rebase(value);
        }
    }
    if let Some(value) = table.get_mut("extractor").filter(|v| v.as_str().is_some_and(is_file)) {
        rebase(value);
    }
    let files = table.get_mut("data").and_then(|d| d.get_mut("split_files")).and_then(Value::as_array_mut);
    for value in files.into_iter().flatten() {
        rebase(value);
    }
    if let Some(value) = table.get_mut("data").and_then(|d| d.get_mut("dir")) {
        rebase(value);
    }
    if let Some(source) = table.get_mut("source").and_then(Value::as_table_mut) {
        for key in ["x", "y"] {
            source.get_mut(key).into_iter().for_each(rebase);
        }
        source.get_mut("data").and_then(|d| d.get_mut("dir")).into_iter().for_each(rebase);
    }
    let folders = table.get_mut("data").and_then(|d| d.get_mut("folders")).and_then(Value::as_table_mut);
    for (_, value) in folders.into_iter().flatten() {
        rebase(value);
    }
    Ok(table)
}

fn repair_flags(args: &RepairSettingsArgs) -> Result<Table, Failure> {
    let mut table = Table::new();
    let path = |p: &PathBuf| Value::from(p.to_string_lossy().into_owned());
    set(&mut table, "checkpoint", args.checkpoint.as_ref().map(path));
    set(&mut table, "torchscript", args.torchscript.as_ref().map(path));
    set(&mut table, "budget", args.budget.map(|b| b.to_string().into()));
    extractor_flags(&args.extractor, &mut table)?;
    set(&mut table, "seed", args.runtime.seed.map(whole).transpose()?);
    set(&mut table, "device", args.runtime.device.clone().map(Value::from));
    set(&mut table, "threads", args.runtime.threads.map(|t| whole(t as u64)).transpose()?);
    set(&mut table, "tier", args.tier.map(|t| t.name().into()));
    let mut stop = Table::new();
    set(&mut stop, "minutes", args.minutes.map(Value::from));
    set(&mut stop, "steps", args.max_steps.map(whole).transpose()?);
    set(&mut stop, "images", args.max_images.map(whole).transpose()?);
    table.insert("stop".to_owned(), stop.into());
    let mut annotate = Table::new();
    set(&mut annotate, "by", args.annotator.clone().map(Value::from));
    set(&mut annotate, "answers", args.answers.map(|v| whole(v as u64)).transpose()?);
    set(&mut annotate, "random_share", args.random_share.map(Value::from));
    set(&mut annotate, "cannot_tell_costs", args.refund_cannot_tell.then_some(Value::from(false)));
    set(&mut annotate, "error_rate", args.error_rate.map(Value::from));
    table.insert("annotate".to_owned(), annotate.into());
    let mut tune = Table::new();
    set(&mut tune, "auto", args.lr.map(|rate| Value::from(rate == Rate::Auto)));
    table.insert("tune".to_owned(), tune.into());
    // what all trainers have; a recipe can set them one by one
    let mut shared = Table::new();
    set(&mut shared, "epochs", args.epochs.map(|v| whole(v as u64)).transpose()?);
    let fixed = |rate| if let Rate::Fixed(lr) = rate { Some(Value::from(lr)) } else { None };
    set(&mut shared, "lr", args.lr.and_then(fixed));
    set(&mut shared, "momentum", args.momentum.map(Value::from));
    set(&mut shared, "weight_decay", args.weight_decay.map(Value::from));
    table.insert("matching".to_owned(), shared.clone().into());
    let mut cheap = Table::new();
    for key in ["epochs", "lr"] {
        set(&mut cheap, key, shared.get(key).cloned());
    }
    table.insert("cheap".to_owned(), cheap.into());
    let mut finetune = shared;
    set(&mut finetune, "replay_epochs", args.replay_epochs.map(|v| whole(v as u64)).transpose()?);
    set(&mut finetune, "batch_size", args.batch_size.map(|v| whole(v as u64)).transpose()?);
    table.insert("finetune".to_owned(), finetune.into());
    table.insert("data".to_owned(), data_flags(&args.data)?.into());
    Ok(table)
}

/// The extractor of the flags as entries of a recipe.
pub(crate) fn extractor_flags(args: &ExtractorArgs, table: &mut Table) -> Result<(), Failure> {
    set(table, "extractor", args.extractor.as_deref().map(|name| shipped(name).into()));
    if let Some(size) = &args.extractor_size {
        let sides = hybridrepair_cli::input_sides(size)?;
        table.insert("extractor_input".to_owned(), vec![whole(sides[0] as u64)?, whole(sides[1] as u64)?].into());
    }
    if let (Some(mean), Some(std)) = (&args.extractor_mean, &args.extractor_std) {
        table.insert("extractor_normalization".to_owned(), statistics(mean, std));
    }
    Ok(())
}

/// The file of an extractor that is named as it is shipped; anything else as it is.
pub(crate) fn shipped(name: &str) -> String {
    let file = home().join(format!("checkpoints/{name}.safetensors"));
    if !name.contains(['/', '.']) && file.is_file() { file.to_string_lossy().into_owned() } else { name.to_owned() }
}

/// Channel statistics as a table of a recipe.
fn statistics(mean: &[f32], std: &[f32]) -> Value {
    let list = |v: &[f32]| Value::from(v.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
    Table::from_iter([("mean".to_owned(), list(mean)), ("std".to_owned(), list(std))]).into()
}

/// The data of the flags as a table of a recipe.
pub(crate) fn data_flags(args: &DataArgs) -> Result<Table, Failure> {
    let mut data = Table::new();
    let path = |p: &PathBuf| Value::from(p.to_string_lossy().into_owned());
    set(&mut data, "name", args.dataset.clone().map(Value::from));
    set(&mut data, "dir", args.data_dir.as_ref().map(path));
    set(&mut data, "split", args.split.clone().map(Value::from));
    if let Some(files) = &args.split_files {
        if files.len() != 2 {
            return Err(Failure::new(Exit::Usage, "--split-files takes two files, separated by a comma"));
        }
        data.insert("split_files".to_owned(), files.iter().map(path).collect::<Vec<_>>().into());
    }
    set(&mut data, "corrupt", args.corrupt.clone().map(Value::from));
    set(&mut data, "judge", args.judge.clone().map(Value::from));
    if let Some(field) = &args.field {
        data.insert("name".to_owned(), "folder".into());
        let mut folders = Table::new();
        set(&mut folders, "field", Some(path(field)));
        set(&mut folders, "train", args.train.as_ref().map(path));
        set(&mut folders, "val", args.val.as_ref().map(path));
        set(&mut folders, "holdout", args.holdout.as_ref().map(path));
        data.insert("folders".to_owned(), folders.into());
    }
    if let Some(file) = &args.classes {
        let names = hybridrepair_cli::class_names(file)?;
        data.insert("classes".to_owned(), names.into_iter().map(Value::from).collect::<Vec<_>>().into());
    }
    if let Some(size) = &args.img_size {
        let sides = hybridrepair_cli::input_sides(size)?;
        data.insert("input".to_owned(), vec![whole(sides[0] as u64)?, whole(sides[1] as u64)?].into());
    }
    set(&mut data, "resize", args.resize.clone().map(Value::from));
    if let (Some(mean), Some(std)) = (&args.mean, &args.std) {
        data.insert("normalization".to_owned(), statistics(mean, std));
    }
    let mut cut = Table::new();
    let whole_cut = |n: Option<usize>| n.map(|n| whole(n as u64)).transpose();
    set(&mut cut, "train", whole_cut(args.cut_train)?);
    set(&mut cut, "field", whole_cut(args.cut_field)?);
    set(&mut cut, "holdout", whole_cut(args.cut_holdout)?);
    set(&mut cut, "skip_field", whole_cut(args.skip_field)?);
    data.insert("cut".to_owned(), cut.into());
    Ok(data)
}

/// The settings of a training run.
pub(crate) fn train_config(args: &TrainArgs) -> Result<TrainConfig, Failure> {
    let mut more = Table::new();
    set(&mut more, "with_field_labels", args.with_field_labels.then_some(Value::from(true)));
    set(&mut more, "half", args.half.then_some(Value::from(true)));
    if let Some(Rate::Fixed(lr)) = args.lr {
        let mut schedule = Table::new();
        schedule.insert("lr".to_owned(), lr.into());
        more.insert("schedule".to_owned(), schedule.into());
    }
    train_settings(&args.setting, more)
}

/// The settings that all trainings have, with some more on top.
pub(crate) fn train_settings(args: &TrainSettingsArgs, more: Table) -> Result<TrainConfig, Failure> {
    let mut table = Table::try_from(TrainConfig::default()).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    if let Some(file) = &args.recipe {
        overlay(&mut table, read_recipe(file)?);
    }
    let mut flags = Table::new();
    set(&mut flags, "model", args.model.clone().map(Value::from));
    set(&mut flags, "width", args.width.map(Value::from));
    set(&mut flags, "epochs", args.epochs.map(|v| whole(v as u64)).transpose()?);
    set(&mut flags, "batch_size", args.batch_size.map(|v| whole(v as u64)).transpose()?);
    set(&mut flags, "seed", args.runtime.seed.map(whole).transpose()?);
    set(&mut flags, "device", args.runtime.device.clone().map(Value::from));
    set(&mut flags, "threads", args.runtime.threads.map(|t| whole(t as u64)).transpose()?);
    flags.insert("data".to_owned(), data_flags(&args.data)?.into());
    overlay(&mut table, flags);
    overlay(&mut table, more);
    let origin = args.recipe.clone().unwrap_or_else(|| PathBuf::from("(flags)"));
    Ok(from_table(table, &origin)?)
}

/// How a rate is looked for, for a training.
pub(crate) fn tune_config(search: &SearchArgs, train: TrainConfig) -> TuneConfig {
    let default = TuneConfig::default();
    TuneConfig {
        method: search.method.clone().unwrap_or(default.method),
        probe_epochs: search.probe_epochs.unwrap_or(default.probe_epochs),
        budget: search.budget.unwrap_or(default.budget),
        max_seconds: search.max_time.map(|t| t.0.as_secs_f64()),
        range: search.lr_range.map(|b| b.0),
        weight_decay: search.with.is_some(),
        evbmf: match search.evbmf {
            Some(EvbmfArg::Upstream) => Variant::Upstream,
            _ => Variant::Fixed,
        },
        probe_images: search.probe_images,
        train,
        ..default
    }
}

pub(crate) fn set(table: &mut Table, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        table.insert(key.to_owned(), value);
    }
}

/// TOML knows whole numbers of 63 bits.
pub(crate) fn whole(n: u64) -> Result<Value, Failure> {
    i64::try_from(n).map(Value::from).map_err(|_| Failure::new(Exit::Usage, format!("{n} is too large")))
}
