use super::{asked, pictures, status};
use crate::{
    Exit, Failure,
    args::{ExportForm, LabelExportArgs},
    say,
};
use hybridrepair_data::{
    Images, Sheet, contact_sheet,
    folder::{InputSize, Resize, read_pictures},
};
use hybridrepair_label::{
    Asked,
    export::{StudioTask, csv, cvat_images, cvat_labels, studio_config, studio_tasks},
    verdicts,
};
use hybridrepair_runs::{Layout, write_atomic, write_json};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `label export`
pub(super) fn run(args: &LabelExportArgs) -> Result<ExitCode, Failure> {
    let mut asked = asked(&args.run)?;
    if args.open {
        let verdicts = verdicts(&status::entries(&args.run)?);
        let all = asked.clone();
        asked.images.retain(|i| !status::is_done(&all, verdicts.get(&i.idx)));
    }
    if asked.images.is_empty() {
        say!("nothing is open: go on with `hybridrepair resume {}`", args.run.display());
        return Ok(ExitCode::SUCCESS);
    }
    match args.to {
        ExportForm::Csv => table(args, &asked, None)?,
        ExportForm::LabelStudio => label_studio(args, &asked)?,
        ExportForm::Cvat => cvat(args, &asked)?,
        ExportForm::Sheet => sheets(args, &asked)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The place to write to: `--output`, else in `tasks/` of the run. What an earlier export wrote may hold answers by now.
fn place(args: &LabelExportArgs, name: &str) -> Result<PathBuf, Failure> {
    let path = args.output.clone().unwrap_or_else(|| Layout::new(&args.run).tasks().join(name));
    if path.exists() && !args.overwrite {
        return Err(Failure::new(Exit::Input, format!("{} exists: it may hold answers", path.display()))
            .help("import it, then pass --overwrite, or another --output"));
    }
    Ok(path)
}

fn folder(args: &LabelExportArgs, name: &str) -> Result<PathBuf, Failure> {
    let path = place(args, name)?;
    fs::create_dir_all(&path).map_err(|e| unwritten(&path, &e))?;
    Ok(path)
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Unexpected, format!("cannot write {}: {error}", path.display()))
        .help("check the path, its rights and the room on its disk")
}

fn table(args: &LabelExportArgs, asked: &Asked, inside: Option<&Path>) -> Result<(), Failure> {
    let path = match inside {
        Some(folder) => folder.join("labels.csv"),
        None => place(args, "labels.csv")?,
    };
    let text = csv(asked).map_err(|e| unwritten(&path, &e))?;
    write_atomic(&path, &text)?;
    say!("{}: {} pictures to label", path.display(), asked.images.len());
    say!("fill in the column label with a class name or number, or ? for \"cannot tell\"; then");
    say!("  hybridrepair label import {} {}", args.run.display(), path.display());
    Ok(())
}

fn label_studio(args: &LabelExportArgs, asked: &Asked) -> Result<(), Failure> {
    let folder = folder(args, "label-studio")?;
    let mut tasks = Vec::with_capacity(asked.images.len());
    let root = match &args.image_root {
        Some(root) => root.canonicalize().map_err(|e| {
            Failure::new(Exit::Input, format!("{}: {e}", root.display()))
                .help("--image-root is the folder that it serves")
        })?,
        None => std::path::absolute(&folder).map_err(|e| unwritten(&folder, &e))?,
    };
    for image in &asked.images {
        let path = if args.image_root.is_some() {
            let file = pictures::file_of(&args.run, image);
            let whole =
                file.canonicalize().map_err(|e| Failure::new(Exit::Input, format!("{}: {e}", file.display())))?;
            let below = whole.strip_prefix(&root).ok().and_then(Path::to_str).map(str::to_owned);
            below.ok_or_else(|| {
                Failure::new(Exit::Usage, format!("{} is not below --image-root {}", whole.display(), root.display()))
                    .help("name a folder that holds all pictures, or leave it out: then they are copied")
            })?
        } else {
            let (ending, bytes) = pictures::read(&args.run, image)?;
            let name = format!("images/{}.{ending}", image.id);
            fs::create_dir_all(folder.join("images")).map_err(|e| unwritten(&folder, &e))?;
            write_atomic(&folder.join(&name), &bytes)?;
            name
        };
        tasks.push(StudioTask { path });
    }
    write_json(&folder.join("tasks.json"), &studio_tasks(asked, &tasks, args.show_prediction))?;
    write_atomic(&folder.join("config.xml"), studio_config(asked).as_bytes())?;
    let (here, root, run) = (folder.display(), root.display(), args.run.display());
    say!("{here}: {} tasks", asked.images.len());
    say!("  1. start Label Studio so that it may serve the pictures:");
    say!(
        "     LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={root} label-studio"
    );
    say!(
        "  2. in a new project: paste config.xml as labeling interface (code); under cloud storage add local files with a"
    );
    say!("     path below {root} (without syncing it); then import tasks.json");
    say!("  3. label, export as JSON, and: hybridrepair label import {run} EXPORT.json");
    Ok(())
}

fn cvat(args: &LabelExportArgs, asked: &Asked) -> Result<(), Failure> {
    let folder = folder(args, "cvat")?;
    let mut failed = None;
    let archive = cvat_images(asked, |i| {
        pictures::read(&args.run, &asked.images[i]).map_err(|failure| {
            failed = Some(failure);
            io::Error::other("a picture cannot be read")
        })
    });
    let archive = archive.map_err(|e| failed.take().unwrap_or_else(|| unwritten(&folder, &e)))?;
    write_atomic(&folder.join("images.zip"), &archive)?;
    write_json(&folder.join("labels.json"), &cvat_labels(asked))?;
    let (here, run) = (folder.display(), args.run.display());
    say!("{here}: {} pictures", asked.images.len());
    say!("  1. in CVAT make a task: paste labels.json into the raw tab of its labels, and upload images.zip");
    say!("  2. give each picture one tag (annotation mode \"tag\")");
    say!("  3. export the task as \"CVAT for images 1.1\", and: hybridrepair label import {run} EXPORT.zip");
    Ok(())
}

/// Pixels of a picture's side on a sheet, and pictures on one.
const SIDE: usize = 160;
const PER_SHEET: usize = 60;

fn sheets(args: &LabelExportArgs, asked: &Asked) -> Result<(), Failure> {
    let folder = folder(args, "sheet")?;
    let input = InputSize { height: SIDE, width: SIDE, resize: Resize::FitPad };
    let mut sheets = 0;
    for part in asked.images.chunks(PER_SHEET) {
        let files = part.iter().map(|i| pictures::file_of(&args.run, i)).collect::<Vec<_>>();
        let read = read_pictures(&files, &input)?;
        if let Some(skipped) = read.skipped.first() {
            return Err(Failure::new(Exit::Input, skipped).help("put the picture back as it was"));
        }
        let captions = part.iter().map(|i| i.id.to_string()).collect::<Vec<_>>();
        let images: &Images = &read.images;
        sheets += 1;
        let path = folder.join(format!("sheet-{sheets}.png"));
        if args.overwrite {
            let _ = fs::remove_file(&path);
        }
        contact_sheet(images, &read.rows, &captions, Sheet { columns: 6, scale: 1 }, &path)?;
    }
    write_atomic(&folder.join("classes.txt"), (asked.classes.join("\n") + "\n").as_bytes())?;
    say!("{}: {sheets} sheets of pictures with their ids, and classes.txt", folder.display());
    table(args, asked, Some(&folder))
}
