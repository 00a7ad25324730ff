use crate::{DataError, Images, folder::FileList};
use hybridrepair_core::{ClassId, SampleId, SealedLabels};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Channel mean and standard deviation of pixels scaled to [0, 1], in the order red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    /// Mean per channel.
    pub mean: [f32; 3],
    /// Standard deviation per channel.
    pub std: [f32; 3],
}

impl Normalization {
    /// The statistics of these pictures, from exact sums. A channel of one value counts with a deviation of one level.
    pub fn of(images: &Images) -> Self {
        let (mut sums, mut squares) = ([0u64; 3], [0u64; 3]);
        for pixel in images.as_slice().as_chunks::<3>().0 {
            for (c, &v) in pixel.iter().enumerate() {
                sums[c] += u64::from(v);
                squares[c] += u64::from(v) * u64::from(v);
            }
        }
        let n = (images.as_slice().len() / 3).max(1) as f64;
        let mean = sums.map(|s| s as f64 / n);
        let deviation = |c: usize| (squares[c] as f64 / n - mean[c] * mean[c]).max(1.0).sqrt();
        Self { mean: mean.map(|m| (m / 255.0) as f32), std: [0, 1, 2].map(|c| (deviation(c) / 255.0) as f32) }
    }
}

/// All of a data set with all its labels, in file order, before it is cut.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The pictures.
    pub images: Images,
    /// A class per picture.
    pub labels: Vec<ClassId>,
    /// A name per class.
    pub class_names: Vec<String>,
}

/// Pictures with labels that may be looked at: the data that the model was trained on.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The pictures.
    pub images: Images,
    /// A class per picture.
    pub labels: Vec<ClassId>,
    /// The samples in their data set.
    pub ids: Vec<SampleId>,
}

/// Pictures whose true labels exist but are sealed: the field pool and the holdout of a benchmark.
#[derive(Clone, Debug)]
pub struct Field {
    /// The pictures.
    pub images: Images,
    /// Their true labels, readable through a ledger only; none where people must label.
    pub labels: SealedLabels,
    /// The samples in their data set.
    pub ids: Vec<SampleId>,
    /// For `signs`: the condition under which each picture was taken (index into [`Splits::condition_names`]), sealed.
    pub conditions: Option<SealedLabels>,
}

/// A data set cut for repair.
#[derive(Clone, Debug)]
pub struct Splits {
    /// Name, for instance `signs` or `cifar10`.
    pub name: String,
    /// A name per class, in the order of the logits.
    pub class_names: Vec<String>,
    /// A name per condition; empty where conditions are not known.
    pub condition_names: Vec<String>,
    /// What people should know about the reading: pictures passed over, files not looked at. A line each.
    pub notes: Vec<String>,
    /// The files that the pictures come from, where they come from files: a sample's id is its place there.
    pub list: Option<Arc<FileList>>,
    /// Channel statistics of the test transform.
    pub normalization: Normalization,
    /// What the model was trained on.
    pub train: Labelled,
    /// Held out from training, same domain: chooses the epoch of the initial model.
    pub val: Labelled,
    /// The pool that labels are bought from.
    pub field: Field,
    /// Judges the repair, once, at the end.
    pub holdout: Field,
}

impl Labelled {
    /// Checks that there is a label and an id per picture.
    ///
    /// # Errors
    /// When the lengths differ, or a class is outside `classes`.
    pub fn check(&self, what: &'static str, classes: usize) -> Result<(), DataError> {
        for got in [self.labels.len(), self.ids.len()] {
            if got != self.images.len() {
                return Err(DataError::Rows { what, got, expected: self.images.len() });
            }
        }
        match self.labels.iter().find(|c| c.column() >= classes) {
            Some(&class) => Err(DataError::Class { what, class, classes }),
            None => Ok(()),
        }
    }

    /// The chosen rows, in the given order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            images: self.images.select(rows),
            labels: rows.iter().map(|&i| self.labels[i]).collect(),
            ids: rows.iter().map(|&i| self.ids[i]).collect(),
        }
    }
}

impl Splits {
    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }
}
