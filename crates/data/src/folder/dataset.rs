//! Data set `folder`: your own pictures, one folder per class in one folder per split.

use super::listing::{Listed, Listing, VAL_SHARE};
use super::{ClassTree, FileSplits, InputSize, Part, Report};
use crate::bytes::format_error;
use crate::dataset::{Dataset, Folder};
use crate::{DataError, TrainTransform};
use hybridrepair_core::ClassId;
use std::path::Path;

/// Pictures in `DIR/{train,val,field,holdout}/CLASS/...`.
///
/// Classes are the folders of `train`, numbered in the order of the bytes of their names. Without `val`, a tenth of the
/// training pictures of each class is taken, drawn by the seed of the splits. The normalisation is computed from the
/// training pictures.
pub(crate) static FOLDER: Dataset = Dataset {
    name: "folder",
    about: "your own pictures, one folder per class",
    classes: None,
    folder: Some(Folder {
        inner: &[],
        holds: "train/CLASS/*, field/CLASS/* and holdout/CLASS/*, and if you like val/CLASS/*",
        source: "pictures of your own, as PNG, JPEG, WebP, BMP, PNM, TIFF or GIF",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| Ok(read_folder(dir, &options.input.unwrap_or(InputSize::square(32)), options.cut_seed)?.splits),
};

/// Reads the data set `folder`; `seed` draws the validation pictures where `dir/val` is not there.
///
/// # Errors
/// When `train`, `field` or `holdout` is missing or has no picture that decodes, or one of the others has a class that
/// `train` has not.
pub fn read_folder(dir: &Path, input: &InputSize, seed: u64) -> Result<FileSplits, DataError> {
    let mut listing = list(dir)?;
    listing.split_off_val(seed);
    listing.read(input)
}

fn list(dir: &Path) -> Result<Listing, DataError> {
    let (mut report, mut files) = (Report::default(), Vec::new());
    let mut class_names = Vec::new();
    for part in Part::ALL {
        let path = dir.join(part.name());
        if !path.is_dir() {
            if part == Part::Val {
                continue;
            }
            return Err(FOLDER.missing(dir, &format!("{}/", part.name()), ""));
        }
        let tree = ClassTree::scan(&path, &mut report)?;
        match part {
            Part::Train => class_names = train_classes(&path, &tree)?,
            Part::Val if tree.files.is_empty() => {
                let share = 100.0 * VAL_SHARE;
                let why = format!("no picture in it: remove it, and {share} % of train will be split off");
                return Err(format_error(&path, why));
            }
            _ => {}
        }
        let numbers = numbers(&path, &tree.classes, &class_names)?;
        files.extend(tree.files.into_iter().map(|(path, class)| Listed { path, class: Some(numbers[class]), part }));
    }
    Ok(Listing { name: FOLDER.name, source: dir.to_owned(), class_names, files, report, own: false })
}

pub(super) fn train_classes(path: &Path, tree: &ClassTree) -> Result<Vec<String>, DataError> {
    match tree.classes.len() {
        0 => Err(format_error(path, "no class folder in it: put the pictures of class x into train/x/")),
        1 => {
            let only = &tree.classes[0];
            Err(format_error(path, format!("a single class folder, {only:?}: a classifier needs two classes")))
        }
        _ => Ok(tree.classes.clone()),
    }
}

/// The class of `train` for each class folder of another split.
pub(super) fn numbers(path: &Path, folders: &[String], train: &[String]) -> Result<Vec<ClassId>, DataError> {
    let number = |name: &String| {
        train.binary_search(name).map(ClassId::from).map_err(|_| {
            let n = train.len();
            let why = format!(
                "is not among the {n} classes of train: add pictures of it to train/{name}/ and train the model anew, or \
                 move its pictures away"
            );
            format_error(&path.join(name), why)
        })
    };
    folders.iter().map(number).collect()
}
