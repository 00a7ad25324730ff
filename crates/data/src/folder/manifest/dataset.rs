//! Reads a manifest and the pictures that it lists.

use super::{csv, jsonl, row};
use crate::bytes::format_error;
use crate::dataset::{Dataset, Folder};
use crate::folder::listing::{Listed, Listing};
use crate::folder::{FileSplits, InputSize, Part, Report};
use crate::{DataError, TrainTransform};
use hybridrepair_core::ClassId;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Pictures listed in a CSV or JSONL file with the columns path, label and split.
///
/// Paths are relative to the file. A split is train, val, field or holdout. Classes are the labels of `train`, numbered in
/// the order of their bytes. Without `val`, a tenth of the training pictures of each class is taken, drawn by the seed of
/// the splits. The normalisation is computed from the training pictures.
pub(crate) static MANIFEST: Dataset = Dataset {
    name: "manifest",
    about: "your own pictures, listed in a CSV or JSONL file",
    classes: None,
    folder: Some(Folder {
        inner: &[],
        holds: "manifest.csv or manifest.jsonl with the columns path, label and split (train, val, field, holdout)",
        source: "a list of your own, the file itself instead of its folder does as well",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| {
        Ok(read_manifest(dir, &options.input.unwrap_or(InputSize::square(32)), options.cut_seed)?.splits)
    },
};

/// Reads the data set `manifest`: `path` is the file, or a folder with a `manifest.csv` or `manifest.jsonl`. `seed` draws
/// the validation pictures where the list has none. Sample ids are rows of the list.
///
/// # Errors
/// When the file is missing or damaged (with the line), a picture stands twice (with both lines), a label is not among
/// those of train, or a split has no picture that decodes.
pub fn read_manifest(path: &Path, input: &InputSize, seed: u64) -> Result<FileSplits, DataError> {
    let mut listing = list(&find(path)?)?;
    listing.split_off_val(seed);
    listing.read(input)
}

fn find(path: &Path) -> Result<PathBuf, DataError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let found: Vec<PathBuf> =
        ["manifest.csv", "manifest.jsonl"].iter().map(|f| path.join(f)).filter(|f| f.is_file()).collect();
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => Err(MANIFEST.missing(path, "manifest.csv or manifest.jsonl", "")),
        _ => Err(format_error(path, "both manifest.csv and manifest.jsonl are there: name the file that is meant")),
    }
}

fn list(manifest: &Path) -> Result<Listing, DataError> {
    let ending = manifest.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let rows = match ending.as_str() {
        "csv" => csv::read(manifest)?,
        "jsonl" | "ndjson" => jsonl::read(manifest)?,
        _ => return Err(format_error(manifest, "is neither .csv nor .jsonl")),
    };
    row::check_distinct(manifest, &rows)?;
    for part in [Part::Train, Part::Field, Part::Holdout] {
        if !rows.iter().any(|r| r.part == part) {
            let why = format!("no row whose split is {}: the splits train, field and holdout are needed", part.name());
            return Err(format_error(manifest, why));
        }
    }
    let names: BTreeSet<&str> = rows.iter().filter(|r| r.part == Part::Train).map(|r| r.label.as_str()).collect();
    let class_names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    if let [only] = &class_names[..] {
        let why = format!("all rows of train have the label {only:?}: a classifier needs two classes");
        return Err(format_error(manifest, why));
    }
    let base = manifest.parent().unwrap_or(Path::new(""));
    let files = rows.iter().map(|row| {
        let class = class_names.binary_search(&row.label).map_err(|_| {
            let (label, n) = (&row.label, class_names.len());
            let why = format!(
                "label {label:?} is not among the {n} labels of train: correct it, or add rows of it to train and train \
                 the model anew"
            );
            row::at(manifest, row.line, &why)
        })?;
        Ok(Listed { path: base.join(&row.path), class: Some(ClassId::from(class)), part: row.part })
    });
    let files = files.collect::<Result<Vec<_>, DataError>>()?;
    Ok(Listing {
        name: MANIFEST.name,
        source: manifest.to_owned(),
        class_names,
        files,
        report: Report::default(),
        own: false,
    })
}
