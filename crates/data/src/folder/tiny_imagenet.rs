//! Tiny `ImageNet` (200 classes, 64 x 64), as its archive unpacks.

use super::listing::{Listed, Listing, drawn};
use super::{ClassTree, FileSplits, InputSize, Part, Report};
use crate::bytes::format_error;
use crate::dataset::{Dataset, Folder};
use crate::{DataError, TrainTransform};
use hybridrepair_core::{ClassId, Streams};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Tiny `ImageNet` in a split of our own, since none is published: of the training pictures of each class (500 in the
/// archive) 30 % are `train`, 10 % `val` and the rest the field pool, drawn by a fixed seed; the official validation
/// pictures (50 of each class) are the holdout. The official test pictures have no labels and are not used.
///
/// Classes are the folders of `train` in the order of their names, called by the first word of `words.txt`.
pub(crate) static TINY_IMAGENET: Dataset = Dataset {
    name: "tiny-imagenet",
    about: "photographs of 200 kinds of things; split of our own",
    classes: None,
    folder: Some(Folder {
        inner: &["tiny-imagenet-200"],
        holds: "wnids.txt, words.txt, train/CLASS/images/*.JPEG, val/images/*.JPEG and val/val_annotations.txt",
        source: "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| Ok(read_tiny_imagenet(dir, &options.input.unwrap_or(InputSize::square(64)))?.splits),
};

/// Shares of the training pictures of each class.
const TRAIN_SHARE: f64 = 0.3;
const VAL_SHARE: f64 = 0.1;
/// Seed of the split: part of the data set.
const SEED: u64 = 10;

/// Reads Tiny `ImageNet` from `dir`, or from `dir/tiny-imagenet-200`. Sample ids are rows of the training files in the order
/// of their paths, then of the validation files in the order of `val_annotations.txt`.
///
/// # Errors
/// When a file is missing, the lists contradict each other or the folders, or a split has no picture that decodes.
pub fn read_tiny_imagenet(dir: &Path, input: &InputSize) -> Result<FileSplits, DataError> {
    let dir = TINY_IMAGENET.find(dir, &["wnids.txt", "words.txt", "val/val_annotations.txt"])?;
    let mut report = Report::default();
    let tree = ClassTree::scan(&dir.join("train"), &mut report)?;
    check_wnids(&dir.join("wnids.txt"), &tree.classes)?;
    let mut files: Vec<Listed> = tree
        .files
        .into_iter()
        .map(|(path, class)| Listed { path, class: Some(ClassId::from(class)), part: Part::Field })
        .collect();
    cut(&mut files, tree.classes.len());
    files.extend(holdout(&dir, &tree.classes)?);
    let class_names = names(&dir.join("words.txt"), &tree.classes)?;
    Listing { name: TINY_IMAGENET.name, source: dir, class_names, files, report, own: false }.read(input)
}

/// The classes must be those of `wnids.txt`.
fn check_wnids(path: &Path, classes: &[String]) -> Result<(), DataError> {
    let text = std::fs::read_to_string(path).map_err(DataError::io(path))?;
    let listed: BTreeSet<&str> = text.split_whitespace().collect();
    let folders: BTreeSet<&str> = classes.iter().map(String::as_str).collect();
    match listed.symmetric_difference(&folders).next() {
        None => Ok(()),
        Some(only) => {
            let why =
                if folders.contains(only) { "is in train/ and not listed" } else { "is listed and not in train/" };
            Err(format_error(path, format!("{only} {why}")))
        }
    }
}

/// Gives each training file its part.
fn cut(files: &mut [Listed], classes: usize) {
    let mut by_class = vec![Vec::new(); classes];
    for (row, file) in files.iter().enumerate() {
        by_class[file.class.map_or(0, ClassId::column)].push(row);
    }
    for (class, mut rows) in by_class.into_iter().enumerate() {
        let mut stream = Streams::new(SEED).at("tiny-imagenet.split", class as u64, 0);
        let count = |share: f64| (rows.len() as f64 * share).round() as usize;
        let (train, val) = (count(TRAIN_SHARE), count(VAL_SHARE));
        for (i, &row) in drawn(&mut rows, train + val, &mut stream).iter().enumerate() {
            files[row].part = if i < train { Part::Train } else { Part::Val };
        }
    }
}

/// The validation pictures: name, class, and four numbers of a box, separated by tabs.
fn holdout(dir: &Path, classes: &[String]) -> Result<Vec<Listed>, DataError> {
    let path = dir.join("val/val_annotations.txt");
    let text = std::fs::read_to_string(&path).map_err(DataError::io(&path))?;
    let wrong = |line: usize, why: String| format_error(&path, format!("line {}: {why}", line + 1));
    let (mut files, mut seen) = (Vec::new(), BTreeMap::new());
    for (line, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let mut fields = text.split('\t');
        let (Some(name), Some(wnid)) = (fields.next(), fields.next()) else {
            return Err(wrong(line, "expected a file name, a tab and a class".to_owned()));
        };
        let Ok(class) = classes.binary_search_by(|c| c.as_str().cmp(wnid)) else {
            return Err(wrong(line, format!("class {wnid:?} is not in train/")));
        };
        if let Some(first) = seen.insert(name, line) {
            return Err(wrong(line, format!("{name} stands in line {} already", first + 1)));
        }
        let path = dir.join("val/images").join(name);
        files.push(Listed { path, class: Some(ClassId::from(class)), part: Part::Holdout });
    }
    Ok(files)
}

/// A name per class from `words.txt`: wordnet id, tab, words separated by commas. Where two classes share their first
/// word, the id is added.
fn names(path: &Path, classes: &[String]) -> Result<Vec<String>, DataError> {
    let text = std::fs::read_to_string(path).map_err(DataError::io(path))?;
    let words: BTreeMap<&str, &str> = text.lines().filter_map(|l| l.split_once('\t')).collect();
    let first = |wnid: &String| {
        let all = words.get(wnid.as_str()).copied().unwrap_or_default();
        let first = all.split(',').next().unwrap_or_default().trim();
        if first.is_empty() { wnid.clone() } else { first.to_owned() }
    };
    let mut names: Vec<String> = classes.iter().map(first).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in &names {
        *counts.entry(name.clone()).or_default() += 1;
    }
    for (name, wnid) in names.iter_mut().zip(classes) {
        if counts[name] > 1 && name != wnid {
            *name = format!("{name} ({wnid})");
        }
    }
    Ok(names)
}
