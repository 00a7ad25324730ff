//! CIFAR-10 itself, where `HYBRIDREPAIR_DATA` names a folder with `cifar10/*.bin`.
#![allow(clippy::unwrap_used)]

use hybridrepair_core::{ClassId, Ledger, Purpose};
use hybridrepair_data::{BiasModel, DrawSource, LoadOptions, PublishedSplit, load};
use std::{io::Write, path::PathBuf};

fn folder() -> Option<PathBuf> {
    let found = std::env::var_os("HYBRIDREPAIR_DATA").map(|d| PathBuf::from(d).join("cifar10")).filter(|d| d.is_dir());
    if found.is_none() {
        // past the capture of the test harness, so that a person sees it
        let _ = writeln!(std::io::stderr(), "SKIPPED: HYBRIDREPAIR_DATA names no folder with cifar10/*.bin");
    }
    found
}

#[test]
fn the_published_split_has_its_sizes_and_all_classes() {
    let Some(dir) = folder() else { return };
    for model in BiasModel::ALL {
        let published = PublishedSplit { model, source: DrawSource::Seed(10) };
        let s = load("cifar10", Some(&dir), &LoadOptions { published, ..LoadOptions::default() }).unwrap();
        assert_eq!((s.train.images.len(), s.val.images.len()), (11_250, 3_750));
        assert_eq!((s.field.images.len(), s.holdout.images.len()), (35_000, 5_000));
        assert_eq!(s.class_names[0], "airplane");
        assert_eq!(s.class_names[9], "truck");
        s.train.check("train", 10).unwrap();
        s.val.check("val", 10).unwrap();
        let mut ledger = Ledger::new(0);
        let truth = ledger.reveal(&s.holdout.labels, Purpose::Evaluate, "test");
        for c in 0..10 {
            // the holdout is unbiased
            let n = truth.iter().filter(|t| t.column() == c).count();
            assert!((400..600).contains(&n), "class {c}: {n}");
        }
        let birds = s.train.labels.iter().filter(|&&c| c == ClassId(2)).count();
        match model {
            BiasModel::C => assert!(birds < 60, "{birds} birds"),
            _ => assert!(birds > 900, "{birds} birds"),
        }
        // a known picture: the first of the test set is a cat, the last a horse
        let field = ledger.reveal(&s.field.labels, Purpose::Diagnose, "test");
        assert_eq!((field[25_000], field[34_999]), (ClassId(3), ClassId(7)));
    }
}
