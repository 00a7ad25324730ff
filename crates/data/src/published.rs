//! The published cuts of public data sets: contiguous ranges of train followed by test (`HybridRepair`, section 1.1).

use crate::bias::{biased_draw, read_indices};
use crate::cifar::{Cifar10, read_cifar10};
use crate::{BiasModel, DataError, Field, Labelled, Normalization, Splits};
use hybridrepair_core::{SampleId, SealedLabels, Streams};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where the training and validation subsets of the model under repair come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrawSource {
    /// Drawn with the class weights of the model, from this seed (part of the data set, not the seed of a run).
    Seed(u64),
    /// Read from files: `.npy` vectors of whole numbers, relative to the training and the validation pool.
    IndexFiles {
        /// Rows of the training pool.
        train: PathBuf,
        /// Rows of the validation pool.
        val: PathBuf,
    },
}

/// Which published split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedSplit {
    /// The class weighting of the model under repair. Index files replace the draw, and with it the weighting.
    pub model: BiasModel,
    /// Where its subsets come from.
    pub source: DrawSource,
}

impl Default for PublishedSplit {
    /// Model A, drawn from seed 10.
    fn default() -> Self {
        Self { model: BiasModel::A, source: DrawSource::Seed(10) }
    }
}

/// Contiguous ranges of a data set, and the share of the two pools that the model under repair sees.
struct Cuts {
    train: Range<usize>,
    val: Range<usize>,
    holdout: Range<usize>,
    field: Range<usize>,
    share: f64,
}

const CIFAR10: Cuts =
    Cuts { train: 0..15_000, val: 15_000..20_000, holdout: 20_000..25_000, field: 25_000..60_000, share: 0.75 };

/// Channel statistics of CIFAR-10 as the method uses them.
const CIFAR10_NORMALIZATION: Normalization = Normalization {
    mean: [125.3 / 255.0, 123.0 / 255.0, 113.9 / 255.0],
    std: [63.0 / 255.0, 62.1 / 255.0, 66.7 / 255.0],
};

/// CIFAR-10 in its published split: 11,250 training and 3,750 validation pictures in draw order, a holdout of 5,000 and
/// a field pool of 35,000. Sample ids are rows of the 50,000 training pictures followed by the 10,000 test pictures.
///
/// # Errors
/// When the files are missing or damaged, or the index files are.
pub fn cifar10(dir: &Path, split: &PublishedSplit) -> Result<Splits, DataError> {
    cut(read_cifar10(dir)?, split, &CIFAR10)
}

fn cut(all: Cifar10, split: &PublishedSplit, cuts: &Cuts) -> Result<Splits, DataError> {
    let drawn = |range: &Range<usize>, name: &str, seed: u64| {
        let n = (cuts.share * range.len() as f64).floor() as usize;
        let mut stream = Streams::new(seed).at(name, split.model.number(), 0);
        biased_draw(&all.labels[range.clone()], &split.model.weights10(), n, &mut stream)
    };
    let (train, val) = match &split.source {
        DrawSource::Seed(seed) => {
            (drawn(&cuts.train, "cifar10.train", *seed)?, drawn(&cuts.val, "cifar10.val", *seed)?)
        }
        DrawSource::IndexFiles { train, val } => {
            (read_indices(train, cuts.train.len())?, read_indices(val, cuts.val.len())?)
        }
    };
    let labelled = |range: &Range<usize>, rows: &[usize]| {
        let rows: Vec<usize> = rows.iter().map(|r| r + range.start).collect();
        Labelled {
            images: all.images.select(&rows),
            labels: rows.iter().map(|&r| all.labels[r]).collect(),
            ids: rows.iter().map(|&r| SampleId(r as u64)).collect(),
        }
    };
    let sealed = |range: &Range<usize>, name: &str| {
        let rows: Vec<usize> = range.clone().collect();
        Field {
            images: all.images.select(&rows),
            labels: SealedLabels::seal(name, all.labels[range.clone()].to_vec()),
            ids: rows.iter().map(|&r| SampleId(r as u64)).collect(),
            conditions: None,
        }
    };
    Ok(Splits {
        name: "cifar10".to_owned(),
        condition_names: Vec::new(),
        normalization: CIFAR10_NORMALIZATION,
        train: labelled(&cuts.train, &train),
        val: labelled(&cuts.val, &val),
        field: sealed(&cuts.field, "field"),
        holdout: sealed(&cuts.holdout, "holdout"),
        class_names: all.class_names,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Images;
    use hybridrepair_core::{ClassId, Ledger, Purpose};

    const SMALL: Cuts = Cuts { train: 0..40, val: 40..60, holdout: 60..80, field: 80..120, share: 0.75 };

    /// 120 pictures of one pixel that shows its own row.
    fn all() -> Cifar10 {
        let data = (0..120u8).flat_map(|i| [i; 3]).collect();
        let labels = (0..120).map(|i| ClassId::from(i * 7 % 10)).collect();
        let class_names = (0..10).map(|c| format!("class {c}")).collect();
        Cifar10 { images: Images::new(data, 1, 1).unwrap(), labels, class_names }
    }

    fn check(labelled: &Labelled, range: Range<usize>, n: usize) {
        labelled.check("pool", 10).unwrap();
        assert_eq!(labelled.images.len(), n);
        let mut seen = std::collections::BTreeSet::new();
        for (i, id) in labelled.ids.iter().enumerate() {
            let row = id.0 as usize;
            assert!(range.contains(&row) && seen.insert(row));
            assert_eq!(labelled.images.get(i)[0] as usize, row);
            assert_eq!(labelled.labels[i], all().labels[row]);
        }
    }

    #[test]
    fn ranges_ids_pictures_and_labels_belong_together() {
        for model in BiasModel::ALL {
            let s = cut(all(), &PublishedSplit { model, source: DrawSource::Seed(1) }, &SMALL).unwrap();
            check(&s.train, 0..40, 30);
            check(&s.val, 40..60, 15);
            assert_eq!(s.field.ids.iter().map(|i| i.0 as usize).collect::<Vec<_>>(), (80..120).collect::<Vec<_>>());
            let mut ledger = Ledger::new(0);
            let truth = ledger.reveal(&s.holdout.labels, Purpose::Evaluate, "test");
            assert_eq!(truth, &all().labels[60..80]);
            assert_eq!(s.holdout.images.get(3)[0], 63);
        }
    }

    #[test]
    fn index_files_give_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let (train, val) = (dir.path().join("train.npy"), dir.path().join("val.npy"));
        ndarray_npy::write_npy(&train, &ndarray::arr1(&[39i64, 0, 7])).unwrap();
        ndarray_npy::write_npy(&val, &ndarray::arr1(&[19i64, 1])).unwrap();
        let split =
            PublishedSplit { model: BiasModel::B, source: DrawSource::IndexFiles { train: train.clone(), val } };
        let s = cut(all(), &split, &SMALL).unwrap();
        assert_eq!(s.train.ids, [SampleId(39), SampleId(0), SampleId(7)]);
        assert_eq!(s.val.ids, [SampleId(59), SampleId(41)]);
        let swapped =
            PublishedSplit { model: BiasModel::B, source: DrawSource::IndexFiles { val: train.clone(), train } };
        assert!(matches!(cut(all(), &swapped, &SMALL), Err(DataError::Index { index: 39, len: 20, .. })));
    }

    #[test]
    fn seeds_and_models_draw_differently_and_again_the_same() {
        let ids = |model, seed| {
            cut(all(), &PublishedSplit { model, source: DrawSource::Seed(seed) }, &SMALL).unwrap().train.ids
        };
        assert_eq!(ids(BiasModel::A, 1), ids(BiasModel::A, 1));
        assert_ne!(ids(BiasModel::A, 1), ids(BiasModel::A, 2));
        assert_ne!(ids(BiasModel::A, 1), ids(BiasModel::B, 1));
    }
}
