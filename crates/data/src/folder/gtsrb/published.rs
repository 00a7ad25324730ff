//! Data set `gtsrb`: the published ranges.

use super::names::class_names;
use super::{CLASSES, FINAL, NORMALIZATION, SIDE, archive};
use crate::bias::read_indices;
use crate::bytes::format_error;
use crate::dataset::{Dataset, Folder};
use crate::folder::read::read_all;
use crate::folder::{ClassTree, InputSize, Report};
use crate::published::{Cuts, DrawSource, Plan};
use crate::{DataError, LoadOptions, PublishedSplit, Splits, TrainTransform, Whole};
use hybridrepair_core::ClassId;
use std::path::{Path, PathBuf};

/// GTSRB in the published ranges: 2250 training and 1875 validation pictures in draw order, a holdout of 5000 and a field
/// pool of 29,209 (`HybridRepair`, section 1.1).
///
/// From the archives of the online competition, sorted into `train/CLASS/*` (26,640) and `test/CLASS/*` (12,569), and
/// with two index files in place of the draw, this is the published split: the files permute the sorted paths of the two
/// folders before the ranges are taken. Without index files, or from the archive of the final training set (the same
/// 39,209 pictures in another order), a fixed shuffle takes their place.
///
/// Either way frames of one physical sign are on both sides of every split, so accuracy is flattered; `gtsrb-tracks`
/// keeps them apart. Sample ids are ranks of the paths, `train` before `test`.
pub(crate) static GTSRB: Dataset = Dataset {
    name: "gtsrb",
    about: "photographs of 43 German traffic signs; published split",
    classes: Some(CLASSES),
    folder: Some(Folder {
        inner: &["GTSRB"],
        holds: "train/CCCCC/* and test/CCCCC/* (26,640 and 12,569 pictures of the online competition, CCCCC the class), \
                or Final_Training/Images/CCCCC/*.ppm with GT-CCCCC.csv",
        source: "GTSRB-Training_fixed.zip and GTSRB_Online-Test-Images-Sorted.zip, or GTSRB_Final_Training_Images.zip, \
                 at https://benchmark.ini.rub.de/gtsrb_dataset.html",
    }),
    transform: TrainTransform::PUBLISHED,
    load: |dir, options| ONLINE.load(dir, options),
};

/// What the archives hold and how they are cut.
struct Set {
    train: usize,
    test: usize,
    plan: Plan,
}

const ONLINE: Set = Set {
    train: 26_640,
    test: FINAL - 26_640,
    plan: Plan {
        name: "gtsrb",
        normalization: NORMALIZATION,
        cuts: Cuts { train: (0..2_500, 0.9), val: (2_500..5_000, 0.75), holdout: 5_000..10_000, field: 10_000..FINAL },
    },
};

impl Set {
    fn load(&self, dir: &Path, options: &LoadOptions) -> Result<Splits, DataError> {
        let found = GTSRB.inside(dir);
        let input = options.input.unwrap_or(InputSize::square(SIDE));
        let (train, test) = (found.join("train"), found.join("test"));
        if train.is_dir() && test.is_dir() {
            return self.competition(&train, &test, &input, &options.published);
        }
        let images = found.join(archive::IMAGES);
        if !images.is_dir() {
            return Err(GTSRB.missing(dir, &format!("train/ with test/, or {}/", archive::IMAGES), ""));
        }
        if let DrawSource::IndexFiles { train, .. } = &options.published.source {
            let why = "belongs to the archives of the online competition (train/ with 26,640 and test/ with 12,569 \
                       pictures), not to the final training set: use it with those, or leave it out";
            return Err(DataError::Value { what: "split file", given: train.display().to_string(), why });
        }
        let all = archive::read_gtsrb_archive(&images, &input)?.into_whole();
        expect(&images, all.labels.len(), self.train + self.test)?;
        self.plan.cut_shuffled(all, &options.published)
    }

    fn competition(
        &self,
        train: &Path,
        test: &Path,
        input: &InputSize,
        split: &PublishedSplit,
    ) -> Result<Splits, DataError> {
        let (mut files, mut labels, mut five_digits) = (Vec::new(), Vec::new(), true);
        for (dir, pictures) in [(train, self.train), (test, self.test)] {
            let tree = ClassTree::scan(dir, &mut Report::default())?;
            expect(dir, tree.files.len(), pictures)?;
            let classes = tree.classes.iter().map(|name| class(dir, name)).collect::<Result<Vec<_>, _>>()?;
            five_digits &= tree.classes.iter().all(|name| name.len() == 5);
            labels.extend(tree.files.iter().map(|f| classes[f.1]));
            files.extend(tree.files.into_iter().map(|f| f.0));
        }
        let DrawSource::IndexFiles { train: train_file, val: test_file } = &split.source else {
            return self.plan.cut_shuffled(whole(&files, labels, input)?, split);
        };
        if !five_digits {
            let why =
                "the index files mean the order of class folders of five digits (00000 to 00042), as in the archives";
            return Err(format_error(train, why));
        }
        let order = [permutation(train_file, self.train)?, permutation(test_file, self.test)?];
        let row = |position: usize| match position.checked_sub(self.train) {
            None => order[0][position],
            Some(position) => self.train + order[1][position],
        };
        // the files give the order; the draw of the model under repair is that of the default seed
        let split = PublishedSplit { model: split.model, ..PublishedSplit::default() };
        self.plan.cut_in_order(whole(&files, labels, input)?, row, &split)
    }
}

fn whole(files: &[PathBuf], labels: Vec<ClassId>, input: &InputSize) -> Result<Whole, DataError> {
    Ok(Whole { images: read_all(files, input)?, labels, class_names: class_names() })
}

fn expect(path: &Path, got: usize, expected: usize) -> Result<(), DataError> {
    if got == expected { Ok(()) } else { Err(format_error(path, format!("{got} pictures, expected {expected}"))) }
}

/// The class that the name of a folder says.
fn class(dir: &Path, name: &str) -> Result<ClassId, DataError> {
    let number = name.parse().ok().filter(|&c: &usize| c < CLASSES && name.bytes().all(|b| b.is_ascii_digit()));
    number.map(ClassId::from).ok_or_else(|| format_error(&dir.join(name), "is no class of GTSRB (00000 to 00042)"))
}

/// All of `0..len` in the order of a file.
fn permutation(path: &Path, len: usize) -> Result<Vec<usize>, DataError> {
    let rows = read_indices(path, len)?;
    if rows.len() != len {
        return Err(format_error(path, format!("{} indices, expected all {len} of the folder", rows.len())));
    }
    Ok(rows)
}
