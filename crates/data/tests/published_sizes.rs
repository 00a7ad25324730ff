//! Data sets of the official size, with files that hold nothing but what a cut needs to be judged.
#![allow(clippy::unwrap_used)]

use hybridrepair_core::SampleId;
use hybridrepair_data::{BiasModel, DataError, DrawSource, Images, LoadOptions, PublishedSplit, Splits, load};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// A file of zeros with some runs of bytes; a file system that can does not store the zeros.
fn zeros(path: &Path, size: u64, runs: impl Iterator<Item = (u64, Vec<u8>)>) {
    let mut file = File::create(path).unwrap();
    file.set_len(size).unwrap();
    for (at, run) in runs {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&run).unwrap();
    }
}

fn read(name: &str, dir: &Path, model: BiasModel, source: DrawSource) -> Result<Splits, DataError> {
    let published = PublishedSplit { model, source };
    load(name, Some(dir), &LoadOptions { published, ..LoadOptions::default() })
}

fn sizes(s: &Splits) -> [usize; 4] {
    [&s.train.images, &s.val.images, &s.field.images, &s.holdout.images].map(Images::len)
}

#[test]
fn cifar100_is_shuffled_and_cut_as_cifar10() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("cifar-100-binary");
    std::fs::create_dir(&inner).unwrap();
    // labels only of some: class 99 at every hundredth training picture
    let label = |n: u64| (0..n).step_by(100).map(|i| (i * 3074 + 1, vec![99]));
    zeros(&inner.join("train.bin"), 50_000 * 3074, label(50_000));
    zeros(&inner.join("test.bin"), 10_000 * 3074, std::iter::empty());
    let names: Vec<String> = (0..100).map(|c| format!("thing {c}")).collect();
    std::fs::write(inner.join("fine_label_names.txt"), names.join("\n")).unwrap();
    let s = read("cifar100", dir.path(), BiasModel::A, DrawSource::Seed(10)).unwrap();
    assert_eq!(sizes(&s), [11_250, 3_750, 35_000, 5_000]);
    assert_eq!(s.class_names[99], "thing 99");
    for (id, label) in s.train.ids.iter().zip(&s.train.labels) {
        let marked = id.0 < 50_000 && id.0 % 100 == 0;
        assert_eq!(label.column(), if marked { 99 } else { 0 });
    }
    // every picture is in one part at most, and each part has pictures of both files
    let mut seen = std::collections::BTreeSet::new();
    for ids in [&s.train.ids, &s.val.ids, &s.field.ids, &s.holdout.ids] {
        assert!(ids.iter().all(|id| id.0 < 60_000 && seen.insert(id.0)));
        assert!(ids.iter().any(|id| id.0 < 50_000) && ids.iter().any(|id| id.0 >= 50_000));
    }
    // the shuffle is part of the data set: it must never change
    assert_eq!(s.holdout.ids[..3], [SampleId(10_221), SampleId(11_604), SampleId(54_971)]);
    let e = read("cifar100", dir.path(), BiasModel::B, DrawSource::Seed(10)).unwrap_err().to_string();
    assert!(e.contains("bias model B has published class weights for 10 and for 43 classes only"), "{e}");
    // index files need no weights
    let (train, val) = (dir.path().join("t.npy"), dir.path().join("v.npy"));
    ndarray_npy::write_npy(&train, &ndarray::arr1(&[14_999i64, 3])).unwrap();
    ndarray_npy::write_npy(&val, &ndarray::arr1(&[4_999i64])).unwrap();
    let indexed = read("cifar100", dir.path(), BiasModel::B, DrawSource::IndexFiles { train, val }).unwrap();
    assert_eq!(sizes(&indexed), [2, 1, 35_000, 5_000]);
    // the draw's seed does not shuffle
    assert_eq!(indexed.holdout.ids, s.holdout.ids);
}

#[test]
fn stl10_is_cut_as_published() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("stl10_binary");
    std::fs::create_dir(&inner).unwrap();
    for (part, n) in [("train", 5_000u64), ("test", 8_000)] {
        let bright = (0..n).map(|i| (i * 27_648, vec![(i % 10 * 20) as u8; 5 * 96]));
        zeros(&inner.join(format!("{part}_X.bin")), n * 27_648, bright);
        let labels: Vec<u8> = (0..n).map(|i| (i % 10 + 1) as u8).collect();
        std::fs::write(inner.join(format!("{part}_y.bin")), labels).unwrap();
    }
    for model in [BiasModel::B, BiasModel::C] {
        let s = read("stl10", dir.path(), model, DrawSource::Seed(10)).unwrap();
        assert_eq!(sizes(&s), [1_800, 750, 6_000, 4_000]);
        assert_eq!((s.train.images.height(), s.train.images.width()), (32, 32));
        assert_eq!((s.holdout.ids[0], s.field.ids[5_999]), (SampleId(3_000), SampleId(12_999)));
        for (i, label) in s.train.labels.iter().enumerate() {
            // the first columns of red show the class
            assert_eq!(usize::from(s.train.images.get(i)[0]), label.column() * 20);
            assert_eq!(s.train.images.get(i)[1], 0);
        }
        let rare = s.train.labels.iter().filter(|c| c.column() == 2).count();
        assert_eq!(rare < 50, model == BiasModel::C, "{rare} of class 2 in model {model}");
    }
    std::fs::remove_file(inner.join("test_y.bin")).unwrap();
    let e = read("stl10", dir.path(), BiasModel::A, DrawSource::Seed(10)).unwrap_err().to_string();
    assert!(e.contains("no stl10 in") && e.contains("test_y.bin not found; the folder (or its stl10_binary/)"), "{e}");
}
