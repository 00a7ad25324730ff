//! What a task of pictures is made of.

use hybridrepair_core::{ClassId, Streams};
use hybridrepair_data::{Images, Normalization, RandAugment, TrainTransform};
use hybridrepair_torch::{Device, Model, TorchError};
use std::{fmt, path::PathBuf, sync::Arc};

/// Makes a fresh network; the streams are those of the run.
pub type MakeModel = Arc<dyn Fn(Device, Streams) -> Result<Model, TorchError> + Send + Sync>;

/// What a run begins with.
#[derive(Clone)]
pub enum Start {
    /// A fresh network, drawn by the run's seed.
    Fresh(MakeModel),
    /// A checkpoint.
    Checkpoint(PathBuf),
}

/// Pictures to learn from, a class and a weight for each.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The pictures.
    pub images: Images,
    /// A class for each: true, bought or guessed.
    pub classes: Vec<ClassId>,
    /// What each counts, 1 for true labels.
    pub weights: Vec<f32>,
    /// Augmentation: crops and flips, and before them the operations of a strong view where there are some.
    pub transform: RandAugment,
    /// Channel statistics.
    pub normalization: Normalization,
    /// Default batch.
    pub batch: usize,
}

/// Pictures with true classes that judge.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The pictures.
    pub images: Images,
    /// Their classes.
    pub classes: Vec<ClassId>,
}

impl Judged {
    /// The first `count` of them, and the others.
    pub fn split(&self, count: usize) -> (Self, Self) {
        let all: Vec<usize> = (0..self.classes.len()).collect();
        let (first, rest) = all.split_at(count.min(all.len()));
        let part = |rows: &[usize]| Self {
            images: self.images.select(rows),
            classes: rows.iter().map(|&r| self.classes[r]).collect(),
        };
        (part(first), part(rest))
    }
}

impl Lesson {
    /// Crops and flips, and nothing more.
    pub fn plain(weak: TrainTransform) -> RandAugment {
        RandAugment { ops: 0, cutout: 0.0, weak }
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh(_) => f.write_str("Fresh"),
            Self::Checkpoint(path) => f.debug_tuple("Checkpoint").field(path).finish(),
        }
    }
}
