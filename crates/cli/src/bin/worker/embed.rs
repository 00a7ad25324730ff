use crate::{
    evaluate::{images_of, load_data, load_model, runtime},
    failure::failure,
};
use hybridrepair::{
    Error,
    data::{Normalizer, ViewConfig, ViewMaker},
    torch::{predict, predict_views},
    write_array,
};
use hybridrepair_cli::say;
use hybridrepair_cli::{Exit, Failure, args::EmbedArgs};
use hybridrepair_core::Streams;
use std::{fs, path::Path, process::ExitCode};

/// `embed`
pub(crate) fn run(args: &EmbedArgs) -> Result<ExitCode, Failure> {
    let out = &args.output_dir;
    new_folder(out)?;
    let runtime = runtime(&args.runtime)?;
    let (_, splits) = load_data(&args.data, &args.file)?;
    let model = load_model(&args.file, &splits, runtime, None)?;
    let images = images_of(&splits, args.part);
    let normalizer = Normalizer::new(splits.normalization)?;
    let embedded = || -> Result<(), Error> {
        let p = predict(&model, images, &normalizer)?;
        write_array(&out.join("logits.npy"), &p.logits)?;
        write_array(&out.join("features.npy"), &p.features)?;
        if args.views {
            let streams = Streams::new(args.runtime.seed.unwrap_or(0));
            let maker = ViewMaker::new(images.clone(), splits.normalization, ViewConfig::default(), streams, "views")?;
            let rows = (0..images.len()).collect::<Vec<_>>();
            let pass = predict_views(&model, &maker, (images.height(), images.width()), &rows)?;
            write_array(&out.join("views.npy"), &pass.views.mean_probs.view().to_owned())?;
            write_array(&out.join("view_variance.npy"), &pass.views.variance)?;
        }
        Ok(())
    };
    embedded().map_err(failure)?;
    say!(
        "{}: logits.npy, features.npy{} of {} images",
        out.display(),
        if args.views { ", views.npy, view_variance.npy" } else { "" },
        images.len()
    );
    Ok(ExitCode::SUCCESS)
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
