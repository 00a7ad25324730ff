//! Tiny `ImageNet` in the layout of its archive, with few classes and pictures.
#![allow(clippy::unwrap_used)]

use hybridrepair_core::{Ledger, Purpose};
use hybridrepair_data::folder::{InputSize, read_tiny_imagenet};
use hybridrepair_data::{LoadOptions, load};
use image::{Rgb, RgbImage};
use std::path::Path;

const WNIDS: [&str; 3] = ["n02124075", "n01443537", "n03089624"];

fn jpeg(path: &Path, v: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(64, 64, Rgb([v, v, v])).save_with_format(path, image::ImageFormat::Jpeg).unwrap();
}

/// 20 training pictures of each class and 4 validation pictures in all, inside the folder of the archive.
fn archive() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("tiny-imagenet-200");
    for (c, wnid) in WNIDS.iter().enumerate() {
        for i in 0..20 {
            jpeg(&root.join(format!("train/{wnid}/images/{wnid}_{i}.JPEG")), (c * 80 + i) as u8);
        }
        std::fs::write(root.join(format!("train/{wnid}/{wnid}_boxes.txt")), format!("{wnid}_0.JPEG\t0\t0\t9\t9\n"))
            .unwrap();
    }
    let val = ["n01443537", "n03089624", "n02124075", "n01443537"];
    let lines = val.iter().enumerate().map(|(i, w)| format!("val_{i}.JPEG\t{w}\t0\t32\t44\t62\n"));
    for i in 0..4 {
        jpeg(&root.join(format!("val/images/val_{i}.JPEG")), 200 + i);
    }
    std::fs::write(root.join("val/val_annotations.txt"), lines.collect::<String>()).unwrap();
    std::fs::write(root.join("wnids.txt"), WNIDS.join("\n")).unwrap();
    let words = "n01443537\tgoldfish, Carassius auratus\nn02124075\tcat\nn03089624\tcat, kitty\nn99999999\tother\n";
    std::fs::write(root.join("words.txt"), words).unwrap();
    dir
}

#[test]
fn the_split_is_ours_and_the_holdout_the_official_validation_set() {
    let dir = archive();
    let read = read_tiny_imagenet(dir.path(), &InputSize::square(64)).unwrap();
    let s = &read.splits;
    assert_eq!(s.class_names, ["goldfish", "cat (n02124075)", "cat (n03089624)"]);
    assert_eq!((s.train.images.len(), s.val.images.len()), (18, 6));
    assert_eq!((s.field.images.len(), s.holdout.images.len()), (36, 4));
    for class in 0..3 {
        assert_eq!(s.train.labels.iter().filter(|c| c.column() == class).count(), 6);
        assert_eq!(s.val.labels.iter().filter(|c| c.column() == class).count(), 2);
    }
    let truth = Ledger::new(0).reveal(&s.holdout.labels, Purpose::Evaluate, "test").to_vec();
    assert_eq!(truth.iter().map(|c| c.0).collect::<Vec<_>>(), [0, 2, 1, 0]);
    assert!((0..4).all(|i| s.holdout.images.get(i)[0].abs_diff(200 + i as u8) <= 1));
    let mut ids: Vec<u64> =
        [&s.train.ids, &s.val.ids, &s.field.ids, &s.holdout.ids].into_iter().flatten().map(|i| i.0).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..64).collect::<Vec<_>>());
    assert_eq!(read.report.other["txt"], 3);
    let again = load("tiny-imagenet", Some(dir.path()), &LoadOptions::default()).unwrap();
    assert_eq!((again.train.ids, again.train.images.height()), (s.train.ids.clone(), 64));
}

#[test]
fn lists_that_contradict_are_named() {
    let dir = archive();
    let root = dir.path().join("tiny-imagenet-200");
    let error = || read_tiny_imagenet(dir.path(), &InputSize::square(8)).unwrap_err().to_string();
    let annotations = root.join("val/val_annotations.txt");
    let good = std::fs::read_to_string(&annotations).unwrap();
    for (from, to, said) in [
        ("n03089624", "n00000000", "line 2: class \"n00000000\" is not in train/"),
        ("val_1.JPEG", "val_0.JPEG", "line 2: val_0.JPEG stands in line 1 already"),
        ("val_1.JPEG\tn03089624\t0\t32\t44\t62", "val_1.JPEG", "line 2: expected a file name, a tab and a class"),
    ] {
        std::fs::write(&annotations, good.replacen(from, to, 1)).unwrap();
        let e = error();
        assert!(e.contains(said), "{e}");
    }
    std::fs::write(&annotations, good).unwrap();
    std::fs::write(root.join("wnids.txt"), "n02124075\nn01443537\n").unwrap();
    assert!(error().contains("n03089624 is in train/ and not listed"));
    std::fs::write(root.join("wnids.txt"), [&WNIDS[..], &["n00000001"]].concat().join("\n")).unwrap();
    assert!(error().contains("n00000001 is listed and not in train/"));
    std::fs::remove_file(root.join("words.txt")).unwrap();
    assert!(error().contains("words.txt not found"));
}
