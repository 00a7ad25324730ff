//! Your own pictures in folders of your own: `--train`, `--val`, `--field`, `--holdout`.

use super::dataset::{numbers, train_classes};
use super::listing::{Listed, Listing};
use super::walk::pictures;
use super::{ClassTree, FileList, FileSplits, InputSize, Part, Report};
use crate::DataError;
use crate::bytes::format_error;
use hybridrepair_core::ClassId;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Which folders there are. All but the field pool may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnFolders {
    /// What the model was trained on, a folder per class.
    pub train: Option<PathBuf>,
    /// Held out from training, a folder per class; else a tenth of `train` is taken.
    pub val: Option<PathBuf>,
    /// The pool that labels are bought from: pictures at any depth, or a folder per class, which seals their labels.
    pub field: PathBuf,
    /// Judges the repair, a folder per class.
    pub holdout: Option<PathBuf>,
    /// A name per class in the order of the model's logits; else the folders of `train` in the order of their bytes.
    pub classes: Option<Vec<String>>,
    /// Whether people label the field pool, whatever its folders are called.
    pub people: bool,
}

/// Reads own folders; with `list`, exactly the files of an earlier reading.
///
/// The field pool is labelled when all its folders are called as classes, and unlabelled when none is. Without `train` its
/// split is empty, and the normalisation is that of the field pool: the model should say its own.
///
/// # Errors
/// When a folder is missing, a class is unknown, some folders of the field pool are classes and others not, the field pool
/// has no picture that decodes, or a file of `list` is gone.
pub fn read_own(
    own: &OwnFolders,
    list: Option<&FileList>,
    input: &InputSize,
    seed: u64,
) -> Result<FileSplits, DataError> {
    if let Some(list) = list {
        return listed(own, list)?.read(input);
    }
    let mut listing = scan(own)?;
    if listing.class_names.len() < 2 {
        return Err(format_error(
            &own.field,
            "nobody says which classes there are: give --train or --classes, or a model that names its classes",
        ));
    }
    if own.train.is_some() {
        listing.split_off_val(seed);
    }
    listing.read(input)
}

fn scan(own: &OwnFolders) -> Result<Listing, DataError> {
    let (mut report, mut files) = (Report::default(), Vec::new());
    let mut class_names = own.classes.clone().unwrap_or_default();
    for (part, dir) in [
        (Part::Train, own.train.as_ref()),
        (Part::Val, own.val.as_ref()),
        (Part::Field, Some(&own.field)),
        (Part::Holdout, own.holdout.as_ref()),
    ] {
        let Some(dir) = dir else { continue };
        if !dir.is_dir() {
            return Err(format_error(dir, format!("no such folder (--{})", part.name())));
        }
        if part == Part::Field {
            files.extend(field(own, dir, &class_names, &mut report)?);
            continue;
        }
        let tree = ClassTree::scan(dir, &mut report)?;
        if part == Part::Train && own.classes.is_none() {
            class_names = train_classes(dir, &tree)?;
        }
        if tree.files.is_empty() {
            let name = part.name();
            return Err(format_error(
                dir,
                format!("no picture in a class folder: put those of class x into {name}/x/"),
            ));
        }
        let numbers = classes(dir, &tree.classes, &class_names)?;
        files.extend(tree.files.into_iter().map(|(path, class)| Listed { path, class: Some(numbers[class]), part }));
    }
    Ok(Listing { name: "folder", source: own.field.clone(), class_names, files, report, own: true })
}

/// The class of each folder, by the model's own names where it has some.
fn classes(dir: &Path, folders: &[String], names: &[String]) -> Result<Vec<ClassId>, DataError> {
    if names.is_sorted() {
        return numbers(dir, folders, names);
    }
    let number = |folder: &String| {
        let found = names.iter().position(|n| n == folder).map(ClassId::from);
        found.ok_or_else(|| {
            let why =
                format!("is not among the {} classes of the model: rename it, or move its pictures away", names.len());
            format_error(&dir.join(folder), why)
        })
    };
    folders.iter().map(number).collect()
}

/// The pictures of the field pool, with their classes when all folders are classes.
fn field(own: &OwnFolders, dir: &Path, names: &[String], report: &mut Report) -> Result<Vec<Listed>, DataError> {
    let part = Part::Field;
    let mut looked = Report::default();
    let tree = ClassTree::scan(dir, &mut looked)?;
    let with_pictures: BTreeSet<usize> = tree.files.iter().map(|(_, class)| *class).collect();
    let is_class = |&&folder: &&usize| names.contains(&tree.classes[folder]);
    let known = with_pictures.iter().filter(is_class).count();
    let loose = looked.skipped.iter().any(|s| matches!(s.why, super::SkipReason::NoClass));
    if own.people || known == 0 {
        return Ok(pictures(dir, report).into_iter().map(|path| Listed { path, class: None, part }).collect());
    }
    if let Some(other) = with_pictures.iter().find(|f| !is_class(f)) {
        let why = format!(
            "is no class, but {known} folders beside it are: with --annotator people folders say nothing, else rename it"
        );
        return Err(format_error(&dir.join(&tree.classes[*other]), why));
    }
    if loose {
        let why =
            "pictures lie beside folders that are classes: with --annotator people folders say nothing, else move them";
        return Err(format_error(dir, why));
    }
    let numbers = classes(dir, &tree.classes, names)?;
    report.merge(looked);
    Ok(tree.files.into_iter().map(|(path, class)| Listed { path, class: Some(numbers[class]), part }).collect())
}

/// Exactly the files of an earlier reading.
fn listed(own: &OwnFolders, list: &FileList) -> Result<Listing, DataError> {
    let gone: Vec<_> = list.files.iter().filter(|f| !f.path.is_file()).collect();
    if let Some(first) = gone.first() {
        let why = format!("is gone, and {} of {} files with it: put them back", gone.len() - 1, list.files.len());
        return Err(format_error(&first.path, why));
    }
    let file = |f: &super::ListedFile| {
        let class = f.class.as_ref().map(|name| {
            let found = list.classes.iter().position(|c| c == name).map(ClassId::from);
            found.ok_or_else(|| format_error(&f.path, format!("its class {name:?} is not in the list of classes")))
        });
        Ok(Listed { path: f.path.clone(), class: class.transpose()?, part: f.part })
    };
    let files = list.files.iter().map(file).collect::<Result<_, DataError>>()?;
    let (source, class_names) = (own.field.clone(), list.classes.clone());
    Ok(Listing { name: "folder", source, class_names, files, report: Report::default(), own: true })
}
