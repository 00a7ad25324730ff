use crate::{failure::failure, recipe::data_flags, show};
use hybridrepair::{
    DataConfig, Error,
    data::{Field, Images, Normalizer, Splits},
    torch::{
        Arch, DataFacts, DeviceChoice, Model, Runtime, RuntimeConfig, TorchError, is_torchscript, open_checkpoint,
        open_script, predict,
    },
};
use hybridrepair_cli::{
    Exit, Failure,
    args::{DataArgs, EvaluateArgs, ModelArgs, Runtime as RuntimeArgs, Split},
};
use hybridrepair_cli::{remarks, say};
use hybridrepair_core::{
    ClassId, Ledger, Purpose,
    metrics::{Change, accuracy},
};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use toml::Table;

#[derive(Serialize)]
struct Evaluated {
    dataset: String,
    part: String,
    n: usize,
    accuracy: f64,
    per_class: Vec<Part>,
    per_condition: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Change>,
}

#[derive(Serialize)]
struct Part {
    name: String,
    n: usize,
    accuracy: f64,
}

/// The data that flags alone name; of own pictures the model may say what it wants to be shown.
pub(crate) fn load_data(args: &DataArgs, model: &ModelArgs) -> Result<(DataConfig, Splits), Failure> {
    let mut table = Table::try_from(DataConfig::default()).map_err(|e| Failure::new(Exit::Unexpected, e))?;
    hybridrepair_runs::overlay(&mut table, data_flags(args)?);
    let mut config: DataConfig = hybridrepair_runs::from_table(table, Path::new("(flags)"))?;
    config.complete_from_model(model.torchscript.as_deref(), model.checkpoint.as_deref()).map_err(failure)?;
    let splits = config.load().map_err(failure)?;
    remarks(&splits.notes);
    Ok((config, splits))
}

/// Device and threads of the flags.
pub(crate) fn runtime(args: &RuntimeArgs) -> Result<Runtime, Failure> {
    let start = || {
        let device: DeviceChoice = args.device.as_deref().unwrap_or("auto").parse()?;
        Runtime::start(RuntimeConfig { device, threads: args.threads })
    };
    start().map_err(|e| failure(Error::Torch(e)))
}

/// A checkpoint that fits the data.
pub(crate) fn load_model(
    file: &ModelArgs,
    splits: &Splits,
    runtime: Runtime,
    arch: Option<(&str, Option<f64>)>,
) -> Result<Model, Failure> {
    let load = || {
        let facts = DataFacts::from(splits);
        let (model, meta) = match (&file.checkpoint, &file.torchscript) {
            (_, Some(script)) => open_script(script, runtime.device, &facts)?,
            (Some(checkpoint), None) => open_checkpoint(checkpoint, runtime.device, &facts)?,
            (None, None) => return Err(TorchError::Spec("no model was given".to_owned())),
        };
        if let Some((name, width)) = arch {
            meta.check_arch(name.parse::<Arch>()?, width)?;
        }
        Ok(model)
    };
    load().map_err(|e| failure(Error::Torch(e)))
}

/// Pictures of a part.
pub(crate) fn images_of(splits: &Splits, part: Split) -> &Images {
    match part {
        Split::Train => &splits.train.images,
        Split::Val => &splits.val.images,
        Split::Field => &splits.field.images,
        Split::Holdout => &splits.holdout.images,
    }
}

/// `evaluate`
pub(crate) fn run(args: &EvaluateArgs) -> Result<ExitCode, Failure> {
    let runtime = runtime(&args.runtime)?;
    let (config, splits) = load_data(&args.data, &args.file)?;
    let arch = args.model.as_deref().map(|name| (name, args.width));
    let model = load_model(&args.file, &splits, runtime, arch)?;
    let normalizer = Normalizer::new(splits.normalization)?;
    let images = images_of(&splits, args.part);
    let classes =
        |model: &Model| predict(model, images, &normalizer).map(|p| p.classes()).map_err(|e| failure(Error::Torch(e)));
    let predicted = classes(&model)?;
    let sealed = |field: &Field| {
        let mut ledger = Ledger::new(0);
        let truth = ledger.reveal(&field.labels, Purpose::Evaluate, "evaluate").to_vec();
        let conditions = field.conditions.as_ref().map(|c| ledger.reveal(c, Purpose::Diagnose, "evaluate").to_vec());
        (truth, conditions)
    };
    let (truth, conditions) = match args.part {
        Split::Train => (splits.train.labels.clone(), None),
        Split::Val => (splits.val.labels.clone(), None),
        Split::Field => sealed(&splits.field),
        Split::Holdout => sealed(&splits.holdout),
    };
    let other = |file: &PathBuf| {
        let file = Some(file.clone());
        if file.as_deref().is_some_and(is_torchscript) {
            ModelArgs { checkpoint: None, torchscript: file }
        } else {
            ModelArgs { checkpoint: file, torchscript: None }
        }
    };
    let against = args.against.as_ref().map(other);
    let against = against.map(|file| classes(&load_model(&file, &splits, runtime, arch)?)).transpose()?;
    let evaluated = Evaluated {
        dataset: config.name,
        part: format!("{:?}", args.part).to_lowercase(),
        n: truth.len(),
        accuracy: accuracy(&predicted, &truth),
        per_class: parts(&splits.class_names, &truth, &predicted, &truth),
        per_condition: conditions.map_or_else(Vec::new, |c| parts(&splits.condition_names, &c, &predicted, &truth)),
        against: against.map(|other| Change::between(&other, &predicted, &truth)),
    };
    if args.json {
        show::json(&evaluated)?;
    } else {
        print(&evaluated);
    }
    Ok(ExitCode::SUCCESS)
}

/// Accuracy within each group of samples.
fn parts(names: &[String], group: &[ClassId], predicted: &[ClassId], truth: &[ClassId]) -> Vec<Part> {
    let one = |(g, name): (usize, &String)| {
        let rows = (0..truth.len()).filter(|&i| group[i].column() == g);
        let (n, right) = rows.fold((0, 0), |(n, r), i| (n + 1, r + usize::from(predicted[i] == truth[i])));
        Part { name: name.clone(), n, accuracy: right as f64 / (n.max(1)) as f64 }
    };
    names.iter().enumerate().map(one).filter(|p| p.n > 0).collect()
}

fn print(e: &Evaluated) {
    say!("{} {}: {:.2} % of {} images", e.dataset, e.part, 100.0 * e.accuracy, e.n);
    for (title, list) in [("class", &e.per_class), ("condition", &e.per_condition)] {
        if !list.is_empty() {
            say!("  {title:<22} {:>6} {:>9}", "images", "accuracy");
        }
        for p in list {
            say!("  {:<22} {:>6} {:>7.1} %", p.name, p.n, 100.0 * p.accuracy);
        }
    }
    if let Some(change) = &e.against {
        say!(
            "against the other model ({:.2} %): repaired {}, broke {}",
            100.0 * change.before,
            change.repaired,
            change.broken
        );
    }
}
