use crate::{
    evaluate::{images_of, load_data, load_model, runtime},
    failure::failure,
    progress::Terminal,
    recipe::shipped,
};
use hybridrepair::{
    Error,
    data::{Normalization, Normalizer, Splits, ViewConfig, ViewMaker, folder::picture_files},
    embed::{EmbedError, Extractor, Given, Opened, open},
    embed_files, encode,
    torch::{Encoder, Model, Runtime, predict, predict_views},
    write_array,
};
use hybridrepair_cli::{
    Exit, Failure,
    args::{EmbedArgs, ExtractorArgs, ModelArgs, Split},
    say,
};
use hybridrepair_core::{Embeddings, Streams};
use hybridrepair_regions::features::{effective_rank, knn_accuracy_left_out, spread};
use hybridrepair_runs::Cache;
use std::fmt::Write as _;
use std::{fs, path::Path, process::ExitCode};

/// `embed`
pub(crate) fn run(args: &EmbedArgs) -> Result<ExitCode, Failure> {
    let out = &args.output_dir;
    new_folder(out)?;
    let runtime = runtime(&args.runtime)?;
    if let Some(dir) = &args.images {
        return folder(args, dir, runtime);
    }
    let file = ModelArgs { checkpoint: args.checkpoint.clone(), torchscript: args.torchscript.clone() };
    let (_, splits) = load_data(&args.data, &file)?;
    let has_model = file.checkpoint.is_some() || file.torchscript.is_some();
    let model = has_model.then(|| load_model(&file, &splits, runtime, None)).transpose()?;
    let embedded = || -> Result<Vec<&str>, Error> {
        let mut written = Vec::new();
        if let Some(model) = &model {
            written.extend(with_model(args, model, &splits)?);
        }
        if args.extractor.extractor.is_some() {
            let rows = with_extractor(args, model.as_ref(), &splits, runtime)?;
            write_array(&out.join("embeddings.npy"), &rows.view().to_owned())?;
            written.push("embeddings.npy");
            tell_quality(args, &rows, &splits)?;
        }
        Ok(written)
    };
    let written = embedded().map_err(failure)?.join(", ");
    say!("{}: {written} of {} images", out.display(), images_of(&splits, args.part).len());
    Ok(ExitCode::SUCCESS)
}

/// Logits, penultimate features, and predictions on views.
fn with_model(args: &EmbedArgs, model: &Model, splits: &Splits) -> Result<Vec<&'static str>, Error> {
    let (out, images) = (&args.output_dir, images_of(splits, args.part));
    let p = predict(model, images, &Normalizer::new(splits.normalization)?)?;
    write_array(&out.join("logits.npy"), &p.logits)?;
    write_array(&out.join("features.npy"), &p.features)?;
    if !args.views {
        return Ok(vec!["logits.npy", "features.npy"]);
    }
    let rows = (0..images.len()).collect::<Vec<_>>();
    let pass = predict_views(model, &views(args, splits)?, (images.height(), images.width()), &rows)?;
    write_array(&out.join("views.npy"), &pass.views.mean_probs.view().to_owned())?;
    write_array(&out.join("view_variance.npy"), &pass.views.variance)?;
    Ok(vec!["logits.npy", "features.npy", "views.npy", "view_variance.npy"])
}

fn views(args: &EmbedArgs, splits: &Splits) -> Result<ViewMaker, Error> {
    let streams = Streams::new(args.runtime.seed.unwrap_or(0));
    let images = images_of(splits, args.part).clone();
    Ok(ViewMaker::new(images, splits.normalization, ViewConfig::default(), streams, "views")?)
}

/// Unit-length embeddings by the extractor of the flags.
fn with_extractor(
    args: &EmbedArgs,
    model: Option<&Model>,
    splits: &Splits,
    runtime: Runtime,
) -> Result<Embeddings, Error> {
    let images = images_of(splits, args.part);
    let of_model = || {
        let missing =
            || Error::Config("penultimate features are those of a model: give one by --checkpoint".to_owned());
        Ok::<_, Error>(Encoder::new(model.ok_or_else(missing)?.duplicate()?, Vec::new())?)
    };
    let rows = match named(&args.extractor)? {
        Extractor::Penultimate => of_model()?.encode(images, &Normalizer::new(splits.normalization)?)?,
        Extractor::PenultimateViews => {
            of_model()?.encode_views(&views(args, splits)?, (images.height(), images.width()))?
        }
        Extractor::Network(file) => {
            let ids = match args.part {
                Split::Train => &splits.train.ids,
                Split::Val => &splits.val.ids,
                Split::Field => &splits.field.ids,
                Split::Holdout => &splits.holdout.ids,
            };
            let list = splits.list.as_ref();
            let files = list.and_then(|list| {
                ids.iter().map(|id| list.files.get(id.0 as usize).map(|f| f.path.clone())).collect::<Option<Vec<_>>>()
            });
            encode(&open(&file, &given(&args.extractor)?, runtime.device)?, images, files.as_deref())?
        }
        Extractor::Npy(file) => {
            let why = "holds features already: `data inspect --embeddings` looks at them".to_owned();
            return Err(EmbedError::File { path: file, why }.into());
        }
    };
    Ok(Embeddings::new(rows)?.normalized())
}

fn named(args: &ExtractorArgs) -> Result<Extractor, Error> {
    Ok(shipped(args.extractor.as_deref().unwrap_or("penultimate")).parse()?)
}

/// What the flags say about the extractor.
fn given(args: &ExtractorArgs) -> Result<Given, Error> {
    let sides = |text: &String| hybridrepair_cli::input_sides(text).map_err(|f| Error::Config(f.message));
    let input = args.extractor_size.as_ref().map(sides).transpose()?;
    let three = |v: &[f32]| <[f32; 3]>::try_from(v).ok();
    let both = args.extractor_mean.as_deref().and_then(three).zip(args.extractor_std.as_deref().and_then(three));
    Ok(Given { normalization: both.map(|(mean, std)| Normalization { mean, std }), input })
}

/// A folder of pictures, shard by shard.
fn folder(args: &EmbedArgs, dir: &Path, runtime: Runtime) -> Result<ExitCode, Failure> {
    let out = &args.output_dir;
    let mut terminal = Terminal::new(false, false);
    let mut embedded = || -> Result<_, Error> {
        let files = picture_files(dir)?;
        let Extractor::Network(file) = named(&args.extractor)? else {
            return Err(Error::Config("a folder of pictures needs the file of a network as extractor".to_owned()));
        };
        let opened: Opened = open(&file, &given(&args.extractor)?, runtime.device)?;
        let parent = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let cache = Cache::open(&parent.join(".hybridrepair-cache"))?;
        embed_files(&opened, &file, &files, &cache, &out.join("embeddings.npy"), &mut terminal)
    };
    let found = embedded().map_err(failure)?;
    let list = serde_json::json!({
        "format_version": 1, "files": found.files,
        "skipped": found.skipped.iter().map(|(path, why)| serde_json::json!({"path": path, "why": why})).collect::<Vec<_>>(),
    });
    hybridrepair_runs::write_json(&out.join("files.json"), &list)?;
    say!(
        "{}: embeddings.npy ({} x {}), files.json; {} of {} shards were in the cache, {} files do not decode",
        out.display(),
        found.files.len(),
        found.dim,
        found.cached,
        found.cached + found.computed,
        found.skipped.len()
    );
    Ok(ExitCode::SUCCESS)
}

/// What the embeddings are worth; against classes where they may be looked at.
fn tell_quality(args: &EmbedArgs, rows: &Embeddings, splits: &Splits) -> Result<(), Error> {
    let mut line = format!(
        "spread {:.3}, effective rank {:.1}",
        spread(rows),
        effective_rank(rows, &mut Streams::new(0).named("rank"))?
    );
    let labels = match args.part {
        Split::Train => &splits.train.labels[..],
        Split::Val => &splits.val.labels[..],
        Split::Field | Split::Holdout => &[],
    };
    if labels.len() > 1 {
        let _ = write!(line, ", k-NN {:.2} % of known labels", 100.0 * knn_accuracy_left_out(rows, labels)?);
    }
    say!("features: {line}");
    Ok(())
}

/// Makes a folder, or takes an empty one.
fn new_folder(path: &Path) -> Result<(), Failure> {
    let wrong = |e: std::io::Error| Failure::new(Exit::Unexpected, format!("cannot write to {}: {e}", path.display()));
    fs::create_dir_all(path).map_err(wrong)?;
    if fs::read_dir(path).map_err(wrong)?.next().is_some() {
        return Err(
            Failure::new(Exit::Usage, format!("{} is not empty", path.display())).help("choose another --output-dir")
        );
    }
    Ok(())
}
