//! From a list of files with classes and parts to splits in memory.

use super::{FileList, InputSize, ListedFile, Report, Skipped, read_pictures};
use crate::bytes::format_error;
use crate::draw::below;
use crate::{DataError, Field, Images, Labelled, Normalization, Splits};
use hybridrepair_core::{ClassId, SampleId, SealedLabels, Stream, Streams};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf, str::FromStr, sync::Arc};

/// Which split a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What the model was trained on.
    Train,
    /// Chooses the epoch of the initial model.
    Val,
    /// The pool that labels are bought from.
    Field,
    /// Judges the repair.
    Holdout,
}

impl Part {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Train, Self::Val, Self::Field, Self::Holdout];

    /// Its name in folders and manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Field => "field",
            Self::Holdout => "holdout",
        }
    }
}

impl FromStr for Part {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        Self::ALL.into_iter().find(|p| p.name() == text).ok_or_else(|| DataError::Unknown {
            what: "split",
            given: text.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// A data set read from picture files.
#[derive(Debug)]
pub struct FileSplits {
    /// The pictures, cut for repair. Sample ids are rows of `files`.
    pub splits: Splits,
    /// All files listed, those that were skipped too.
    pub files: Vec<PathBuf>,
    /// What is not among the splits.
    pub report: Report,
}

/// One file with its class and its part.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// `None` where people must say.
    pub(super) class: Option<ClassId>,
    pub(super) part: Part,
}

/// All files of a data set, before one of them is opened.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) name: &'static str,
    /// Where it was found, for messages.
    pub(super) source: PathBuf,
    pub(super) class_names: Vec<String>,
    pub(super) files: Vec<Listed>,
    pub(super) report: Report,
    /// Whether every part but the field pool may be missing.
    pub(super) own: bool,
}

/// The share of the training pictures of each class that becomes the validation split where there is none.
pub(super) const VAL_SHARE: f64 = 0.1;

impl Listing {
    fn rows(&self, part: Part) -> Vec<usize> {
        (0..self.files.len()).filter(|&i| self.files[i].part == part).collect()
    }

    /// Where no file is for validation: a tenth of the training files of each class, rounded, and at least one where
    /// there are two, drawn by seed. Another class's files do not matter to the choice.
    pub(super) fn split_off_val(&mut self, seed: u64) {
        if self.files.iter().any(|f| f.part == Part::Val) {
            return;
        }
        let mut by_class: BTreeMap<ClassId, Vec<usize>> = BTreeMap::new();
        for row in self.rows(Part::Train) {
            by_class.entry(self.files[row].class.unwrap_or(ClassId(0))).or_default().push(row);
        }
        for (class, mut rows) in by_class {
            let mut stream = Streams::new(seed).at("files.val", u64::from(class.0), 0);
            let n = ((rows.len() as f64 * VAL_SHARE).round().max(1.0) as usize).min(rows.len() - 1);
            for row in drawn(&mut rows, n, &mut stream) {
                self.files[*row].part = Part::Val;
            }
        }
    }

    /// Decodes all files. The normalisation is that of the training pictures.
    ///
    /// # Errors
    /// When a part has no picture, or the pictures do not fit into memory.
    pub(super) fn read(mut self, input: &InputSize) -> Result<FileSplits, DataError> {
        let (train, val) = (self.labelled(Part::Train, input)?, self.labelled(Part::Val, input)?);
        let (field, holdout) = (self.sealed(Part::Field, input)?, self.sealed(Part::Holdout, input)?);
        let class = |c: ClassId| self.class_names.get(c.column()).cloned();
        let file = |f: &Listed| ListedFile { part: f.part, class: f.class.and_then(class), path: f.path.clone() };
        let list = FileList { classes: self.class_names.clone(), files: self.files.iter().map(file).collect() };
        let splits = Splits {
            name: self.name.to_owned(),
            class_names: self.class_names,
            condition_names: Vec::new(),
            notes: self.report.lines(),
            list: Some(Arc::new(list)),
            normalization: Normalization::of(if train.images.is_empty() { &field.images } else { &train.images }),
            train,
            val,
            field,
            holdout,
        };
        Ok(FileSplits { splits, files: self.files.into_iter().map(|f| f.path).collect(), report: self.report })
    }

    fn part(&mut self, part: Part, input: &InputSize) -> Result<(Images, Vec<usize>), DataError> {
        let rows = self.rows(part);
        let files: Vec<&PathBuf> = rows.iter().map(|&r| &self.files[r].path).collect();
        let read = read_pictures(&files, input)?;
        let optional = self.own && part != Part::Field && rows.is_empty();
        if read.rows.is_empty() && !optional {
            let first =
                |s: &Skipped| format!("none of the {} files of {} can be used; first {s}", rows.len(), part.name());
            let none = || match part {
                Part::Val => "no picture for val: train has one picture of each class, so that none can be split off; \
                              give val some"
                    .to_owned(),
                _ => format!("no picture for {}", part.name()),
            };
            return Err(format_error(&self.source, read.skipped.first().map_or_else(none, first)));
        }
        self.report.read += read.rows.len();
        self.report.skipped.extend(read.skipped);
        Ok((read.images, read.rows.iter().map(|&r| rows[r]).collect()))
    }

    fn labelled(&mut self, part: Part, input: &InputSize) -> Result<Labelled, DataError> {
        let (images, rows) = self.part(part, input)?;
        Ok(Labelled { images, labels: self.classes(&rows).unwrap_or_default(), ids: ids(&rows) })
    }

    fn sealed(&mut self, part: Part, input: &InputSize) -> Result<Field, DataError> {
        let (images, rows) = self.part(part, input)?;
        let labels = match self.classes(&rows) {
            Some(classes) => SealedLabels::seal(part.name(), classes),
            None => SealedLabels::unknown(part.name()),
        };
        Ok(Field { images, labels, ids: ids(&rows), conditions: None })
    }

    /// `None` when there is a picture whose class nobody has said.
    fn classes(&self, rows: &[usize]) -> Option<Vec<ClassId>> {
        rows.iter().map(|&r| self.files[r].class).collect()
    }
}

/// The first `n` rows of a random order.
pub(super) fn drawn<'a>(rows: &'a mut [usize], n: usize, stream: &mut Stream) -> &'a [usize] {
    for i in 0..n {
        let other = i + below(stream, rows.len() - i);
        rows.swap(i, other);
    }
    &rows[..n]
}

fn ids(rows: &[usize]) -> Vec<SampleId> {
    rows.iter().map(|&r| SampleId(r as u64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(classes: &[usize]) -> Listing {
        let file = |(i, &c): (usize, &usize)| Listed {
            path: format!("{i}.png").into(),
            class: Some(ClassId::from(c)),
            part: Part::Train,
        };
        let files = classes.iter().enumerate().map(file).collect();
        let class_names = vec!["a".into(), "b".into(), "c".into()];
        Listing { name: "t", source: "t".into(), class_names, files, report: Report::default(), own: false }
    }

    fn val(l: &Listing, class: usize) -> Vec<usize> {
        l.rows(Part::Val).into_iter().filter(|&r| l.files[r].class.unwrap().column() == class).collect()
    }

    #[test]
    fn a_tenth_of_each_class_is_split_off() {
        let classes: Vec<usize> = [vec![0; 40], vec![1; 3], vec![2]].concat();
        let mut l = listing(&classes);
        l.split_off_val(7);
        assert_eq!((val(&l, 0).len(), val(&l, 1).len(), val(&l, 2).len()), (4, 1, 0));
        // again the same, by another seed another; other classes do not matter
        let mut again = listing(&[0; 40]);
        again.split_off_val(7);
        assert_eq!(val(&again, 0), val(&l, 0));
        again.split_off_val(8);
        assert_eq!(val(&again, 0), val(&l, 0), "a validation split that is there stays");
        let mut other = listing(&[0; 40]);
        other.split_off_val(8);
        assert_ne!(val(&other, 0), val(&l, 0));
    }
}
