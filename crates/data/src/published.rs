//! The cuts of public data sets: contiguous ranges of train followed by test (`HybridRepair`, section 1.1).

use crate::bias::{biased_draw, read_indices};
use crate::draw::below;
use crate::{BiasModel, DataError, Field, Labelled, Normalization, Splits, Whole};
use hybridrepair_core::{SampleId, SealedLabels, Streams};
use std::ops::Range;
use std::path::PathBuf;

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
#[derive(Clone, Debug)]
pub(crate) struct Cuts {
    pub(crate) train: (Range<usize>, f64),
    pub(crate) val: (Range<usize>, f64),
    pub(crate) holdout: Range<usize>,
    pub(crate) field: Range<usize>,
}

impl Cuts {
    /// Those of CIFAR-10, for data sets of as many pictures.
    pub(crate) const CIFAR10: Self =
        Self { train: (0..15_000, 0.75), val: (15_000..20_000, 0.75), holdout: 20_000..25_000, field: 25_000..60_000 };
}

/// How a whole data set becomes splits.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Name of the data set.
    pub(crate) name: &'static str,
    /// Channel statistics as the method uses them.
    pub(crate) normalization: Normalization,
    /// Ranges of the data set in order.
    pub(crate) cuts: Cuts,
}

impl Plan {
    /// Cuts the data set in file order.
    ///
    /// Sample ids are rows of `all`; training and validation pictures stand in draw order.
    pub(crate) fn cut(&self, all: Whole, split: &PublishedSplit) -> Result<Splits, DataError> {
        self.cut_in_order(all, |position| position, split)
    }

    /// As [`Plan::cut`], after a shuffle that belongs to the data set: for data sets without a published split, whose
    /// files may be sorted by class, writer or difficulty.
    pub(crate) fn cut_shuffled(&self, all: Whole, split: &PublishedSplit) -> Result<Splits, DataError> {
        let mut stream = Streams::new(0).named(&format!("{}.order", self.name));
        let n = all.labels.len();
        let mut rows: Vec<usize> = (0..n).collect();
        for i in 0..n {
            rows.swap(i, i + below(&mut stream, n - i));
        }
        self.cut_in_order(all, |position| rows[position], split)
    }

    /// As [`Plan::cut`], after a permutation: `row` gives the row of `all` at each position that the ranges mean.
    pub(crate) fn cut_in_order(
        &self,
        all: Whole,
        row: impl Fn(usize) -> usize,
        split: &PublishedSplit,
    ) -> Result<Splits, DataError> {
        let rows = |range: &Range<usize>| range.clone().map(&row).collect::<Vec<_>>();
        let (train_pool, val_pool) = (rows(&self.cuts.train.0), rows(&self.cuts.val.0));
        let classes = |rows: &[usize]| rows.iter().map(|&r| all.labels[r]).collect::<Vec<_>>();
        let drawn = |pool: &[usize], share: f64, part: &str, seed: u64| {
            let n = (share * pool.len() as f64).floor() as usize;
            let weights = split.model.weights(all.class_names.len())?;
            let mut stream = Streams::new(seed).at(&format!("{}.{part}", self.name), split.model.number(), 0);
            biased_draw(&classes(pool), &weights, n, &mut stream)
        };
        let (train, val) = match &split.source {
            DrawSource::Seed(seed) => (
                drawn(&train_pool, self.cuts.train.1, "train", *seed)?,
                drawn(&val_pool, self.cuts.val.1, "val", *seed)?,
            ),
            DrawSource::IndexFiles { train, val } => {
                (read_indices(train, train_pool.len())?, read_indices(val, val_pool.len())?)
            }
        };
        let ids = |rows: &[usize]| rows.iter().map(|&r| SampleId(r as u64)).collect::<Vec<_>>();
        let labelled = |pool: &[usize], chosen: &[usize]| {
            let rows = chosen.iter().map(|&r| pool[r]).collect::<Vec<_>>();
            Labelled { images: all.images.select(&rows), labels: classes(&rows), ids: ids(&rows) }
        };
        let sealed = |range: &Range<usize>, what: &str| {
            let rows = rows(range);
            let labels = SealedLabels::seal(what, classes(&rows));
            Field { images: all.images.select(&rows), labels, ids: ids(&rows), conditions: None }
        };
        Ok(Splits {
            name: self.name.to_owned(),
            condition_names: Vec::new(),
            notes: Vec::new(),
            list: None,
            normalization: self.normalization,
            train: labelled(&train_pool, &train),
            val: labelled(&val_pool, &val),
            field: sealed(&self.cuts.field, "field"),
            holdout: sealed(&self.cuts.holdout, "holdout"),
            class_names: all.class_names,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Images;
    use hybridrepair_core::{ClassId, Ledger, Purpose};

    const SMALL: Plan = Plan {
        name: "small",
        normalization: Normalization { mean: [0.0; 3], std: [1.0; 3] },
        cuts: Cuts { train: (0..40, 0.75), val: (40..60, 0.75), holdout: 60..80, field: 80..120 },
    };

    /// 120 pictures of one pixel that shows its own row.
    fn all() -> Whole {
        let data = (0..120u8).flat_map(|i| [i; 3]).collect();
        let labels = (0..120).map(|i| ClassId::from(i * 7 % 10)).collect();
        let class_names = (0..10).map(|c| format!("class {c}")).collect();
        Whole { images: Images::new(data, 1, 1).unwrap(), labels, class_names }
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
            let s = SMALL.cut(all(), &PublishedSplit { model, source: DrawSource::Seed(1) }).unwrap();
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
        let s = SMALL.cut(all(), &split).unwrap();
        assert_eq!(s.train.ids, [SampleId(39), SampleId(0), SampleId(7)]);
        assert_eq!(s.val.ids, [SampleId(59), SampleId(41)]);
        let swapped =
            PublishedSplit { model: BiasModel::B, source: DrawSource::IndexFiles { val: train.clone(), train } };
        assert!(matches!(SMALL.cut(all(), &swapped), Err(DataError::Index { index: 39, len: 20, .. })));
    }

    #[test]
    fn seeds_and_models_draw_differently_and_again_the_same() {
        let ids = |model, seed| {
            SMALL.cut(all(), &PublishedSplit { model, source: DrawSource::Seed(seed) }).unwrap().train.ids
        };
        assert_eq!(ids(BiasModel::A, 1), ids(BiasModel::A, 1));
        assert_ne!(ids(BiasModel::A, 1), ids(BiasModel::A, 2));
        assert_ne!(ids(BiasModel::A, 1), ids(BiasModel::B, 1));
    }
}
