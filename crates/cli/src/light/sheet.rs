use crate::{
    Exit, Failure,
    args::{DataArgs, SheetArgs},
};
use crate::{class_names, input_sides, remarks, say};
use hybridrepair_core::ClassId;
use hybridrepair_data::{
    BiasModel, Cut, DrawSource, LoadOptions, PublishedSplit, Sheet, Splits, contact_sheet,
    folder::{InputSize, OwnFolders},
};
use std::process::ExitCode;

/// Loads the data set that the flags name.
pub(super) fn load(args: &DataArgs) -> Result<Splits, Failure> {
    let model: BiasModel = args.split.as_deref().unwrap_or("A").parse()?;
    let source = match args.split_files.as_deref() {
        None => DrawSource::Seed(10),
        Some([train, val]) => DrawSource::IndexFiles { train: train.clone(), val: val.clone() },
        Some(_) => return Err(Failure::new(Exit::Usage, "--split-files takes two files, separated by a comma")),
    };
    let options = LoadOptions {
        published: PublishedSplit { model, source },
        cut: Cut {
            train: args.cut_train,
            val: None,
            field: args.cut_field,
            holdout: args.cut_holdout,
            skip_field: args.skip_field.unwrap_or(0),
        },
        cut_seed: 10,
        input: input(args)?,
        corrupt: args.corrupt.as_deref().map(str::parse).transpose()?,
        own: own(args)?,
        ..LoadOptions::default()
    };
    let name = args.dataset.as_deref().unwrap_or("signs");
    let splits = hybridrepair_data::load(name, args.data_dir.as_deref(), &options)?;
    remarks(&splits.notes);
    Ok(splits)
}

/// The input size of the flags.
fn input(args: &DataArgs) -> Result<Option<InputSize>, Failure> {
    let resize = args.resize.as_deref().unwrap_or("stretch").parse()?;
    match &args.img_size {
        Some(size) => input_sides(size).map(|[height, width]| Some(InputSize { height, width, resize })),
        None if args.resize.is_some() => Err(Failure::new(Exit::Usage, "--resize without --img-size")
            .help("say the size of the network's input as well")),
        None => Ok(None),
    }
}

/// The own folders of the flags.
fn own(args: &DataArgs) -> Result<Option<OwnFolders>, Failure> {
    let Some(field) = args.field.clone() else { return Ok(None) };
    let classes = args.classes.as_deref().map(class_names).transpose()?;
    let (train, val, holdout) = (args.train.clone(), args.val.clone(), args.holdout.clone());
    Ok(Some(OwnFolders { train, val, field, holdout, classes, people: false }))
}

/// `data sheet`
pub(super) fn run(args: &SheetArgs) -> Result<ExitCode, Failure> {
    let splits = load(&args.data)?;
    let by_class = |labels: &[ClassId]| {
        let per_class = |c: usize| (0..labels.len()).filter(move |&i| labels[i].column() == c).take(args.columns);
        let classes = 0..args.rows.unwrap_or(splits.classes()).min(splits.classes());
        classes.flat_map(|c| per_class(c).map(move |i| (i, c))).collect::<Vec<_>>()
    };
    let (images, chosen) = match args.part.as_str() {
        "train" => (&splits.train.images, by_class(&splits.train.labels)),
        "val" => (&splits.val.images, by_class(&splits.val.labels)),
        // sealed: shown in pool order, without names
        "field" | "holdout" => {
            let field = if args.part == "field" { &splits.field } else { &splits.holdout };
            let count = (args.rows.unwrap_or(12) * args.columns).min(field.images.len());
            (&field.images, (0..count).map(|i| (i, usize::MAX)).collect())
        }
        other => {
            return Err(
                Failure::new(Exit::Usage, format!("unknown part {other:?}")).help("train, val, field or holdout")
            );
        }
    };
    let rows = chosen.iter().map(|&(i, _)| i).collect::<Vec<_>>();
    let captions =
        chosen.iter().map(|&(_, c)| splits.class_names.get(c).cloned()).collect::<Option<Vec<_>>>().unwrap_or_default();
    let sheet = Sheet { columns: args.columns, scale: args.scale };
    contact_sheet(images, &rows, &captions, sheet, &args.output)?;
    say!("{}: {} pictures of {} ({})", args.output.display(), rows.len(), splits.name, args.part);
    Ok(ExitCode::SUCCESS)
}
