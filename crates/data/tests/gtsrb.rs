//! GTSRB in its original layouts, written here; and the real records where `HYBRIDREPAIR_DATA` names a folder with
//! `gtsrb/gtsrb32_train.bin`.
#![allow(clippy::unwrap_used)]

use hybridrepair_core::{ClassId, Ledger, Purpose};
use hybridrepair_data::folder::{Frame, InputSize, read_gtsrb_archive, read_gtsrb_records};
use hybridrepair_data::{BiasModel, DrawSource, Field, LoadOptions, PublishedSplit, load};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A picture as the archive has it: binary PPM.
fn ppm(pixels: &[u8], h: usize, w: usize) -> Vec<u8> {
    [format!("P6\n{w} {h}\n255\n").as_bytes(), pixels].concat()
}

/// Two tracks of two frames for each class, 32 x 32.
fn frames() -> Vec<(Frame, Vec<u8>)> {
    let names = (0..43).flat_map(|class| (0..4).map(move |i| Frame { class, track: i / 2, frame: i % 2 }));
    let pixels = |i: usize| (0..3072).map(|k| ((i * 7919 + k).wrapping_mul(2_654_435_761) >> 15) as u8).collect();
    names.enumerate().map(|(i, f)| (f, pixels(i))).collect()
}

fn write_archive(dir: &Path) -> PathBuf {
    let images = dir.join("GTSRB/Final_Training/Images");
    let mut lists = vec!["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\r\n".to_owned(); 43];
    for (f, pixels) in frames() {
        let path = images.join(f.to_string());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, ppm(&pixels, 32, 32)).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        write!(lists[f.class as usize], "{name};32;32;5;5;26;26;{}\r\n", f.class).unwrap();
    }
    for (class, list) in lists.iter().enumerate() {
        std::fs::write(images.join(format!("{class:05}/GT-{class:05}.csv")), list).unwrap();
    }
    images
}

fn write_records(dir: &Path, frames: &[(Frame, Vec<u8>)]) {
    let (mut data, mut names) = (Vec::new(), String::new());
    for (f, pixels) in frames {
        data.push(f.class as u8);
        (0..3).for_each(|c| data.extend(pixels.iter().skip(c).step_by(3)));
        writeln!(names, "{f}").unwrap();
    }
    std::fs::write(dir.join("gtsrb32_train.bin"), data).unwrap();
    std::fs::write(dir.join("gtsrb32_train.names.txt"), names).unwrap();
}

#[test]
fn the_archive_and_the_records_are_the_same_pictures_in_the_same_order() {
    let dir = tempfile::tempdir().unwrap();
    let archive = read_gtsrb_archive(&write_archive(dir.path()), &InputSize::square(32)).unwrap();
    let mut shuffled = frames();
    shuffled.reverse();
    write_records(dir.path(), &shuffled);
    let records = read_gtsrb_records(dir.path()).unwrap();
    assert_eq!(archive.frames, frames().iter().map(|f| f.0).collect::<Vec<_>>());
    assert_eq!(archive.frames, records.frames);
    assert_eq!(archive.images.as_slice(), records.images.as_slice());
    assert_eq!(archive.images.get(5), frames()[5].1);
    // a small set is not the data set
    for name in ["gtsrb", "gtsrb-tracks"] {
        let sub = dir.path().join("GTSRB");
        let e = load(name, Some(&sub), &LoadOptions::default()).unwrap_err().to_string();
        assert!(e.contains("172 pictures, expected 39209"), "{e}");
    }
}

#[test]
fn damaged_lists_records_and_pictures_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let images = write_archive(dir.path());
    let archive = || read_gtsrb_archive(&images, &InputSize::square(32)).unwrap_err().to_string();
    let list = images.join("00003/GT-00003.csv");
    let good = std::fs::read_to_string(&list).unwrap();
    for (from, to, said) in [
        (";3\r\n", ";4\r\n", "line 2: class \"4\" in the folder of class 3"),
        ("00000_00001.ppm", "00000_1.ppm", "line 3: \"00003/00000_1.ppm\" is no name like"),
        ("00000_00001.ppm", "00000_00000.ppm", "00003/00000_00000.ppm stands twice"),
        ("ClassId", "Class", "line 1: no column ClassId"),
        ("00000_00001.ppm", "00000_00009.ppm", "00003/00000_00009.ppm: cannot be read"),
    ] {
        std::fs::write(&list, good.replacen(from, to, 1)).unwrap();
        let e = archive();
        assert!(e.contains(said), "{e}");
    }
    std::fs::write(&list, good).unwrap();
    std::fs::write(images.join("00041/00001_00000.ppm"), &ppm(&[7; 3072], 32, 32)[..900]).unwrap();
    assert!(archive().contains("00041/00001_00000.ppm: is cut short"));
    std::fs::remove_file(images.join("00042/GT-00042.csv")).unwrap();
    assert!(archive().contains("GT-00042.csv"));

    let d = dir.path();
    let records = || read_gtsrb_records(d).unwrap_err().to_string();
    assert!(records().contains("gtsrb32_train.names.txt"));
    write_records(d, &frames());
    let names = std::fs::read_to_string(d.join("gtsrb32_train.names.txt")).unwrap();
    for (text, said) in [
        (
            names.replacen("00001/00000_00000.ppm", "00002/00000_00000.ppm", 1),
            "line 5: 00002/00000_00000.ppm, but its record has class 1",
        ),
        (names.replacen("00001/00000_00001.ppm", "00001/00000_00000.ppm", 1), "00001/00000_00000.ppm stands twice"),
        (names.replacen("00001/", "1/", 1), "line 5: \"1/00000_00000.ppm\" is no name"),
        (format!("{names}00042/00009_00000.ppm\n"), "expected 531629 (173 records of 3073 bytes)"),
        (String::new(), "expected 0 (0 records"),
    ] {
        std::fs::write(d.join("gtsrb32_train.names.txt"), text).unwrap();
        let e = records();
        assert!(e.contains(said), "{said}\n{e}");
    }
}

/// The folders of the online competition with 39,209 pictures of one grey pixel each, [`grey`] of their rank: links to 251
/// files, since making a file takes long.
fn write_competition(dir: &Path) {
    for v in 0..=250 {
        std::fs::write(dir.join(format!("{v}.ppm")), ppm(&[v; 3], 1, 1)).unwrap();
    }
    let mut rank = 0;
    for (part, pictures) in [("train", 26_640), ("test", 12_569)] {
        for class in 0..43 {
            let folder = dir.join(format!("{part}/{class:05}"));
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..pictures / 43 + usize::from(class < pictures % 43) {
                std::fs::hard_link(dir.join(format!("{}.ppm", grey(rank))), folder.join(format!("{i:05}.ppm")))
                    .unwrap();
                rank += 1;
            }
        }
    }
}

fn grey(rank: u64) -> u8 {
    (rank % 251) as u8
}

#[test]
fn the_published_ranges_and_index_files() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path();
    write_competition(d);
    // permutations: every 7th, wrapped around; and backwards
    let train: Vec<i64> = (0..26_640).map(|i| i * 7 % 26_640).collect();
    let test: Vec<i64> = (0..12_569).rev().collect();
    let paths = ["train.npy", "test.npy", "short.npy"].map(|n| d.join(n));
    for (path, values) in paths.iter().zip([&train[..], &test, &test[..100]]) {
        ndarray_npy::write_npy(path, &ndarray::arr1(values)).unwrap();
    }
    let options = |model, train: &Path, test: &Path| {
        let source = DrawSource::IndexFiles { train: train.to_owned(), val: test.to_owned() };
        LoadOptions {
            published: PublishedSplit { model, source },
            input: Some(InputSize::square(2)),
            ..LoadOptions::default()
        }
    };
    let s = load("gtsrb", Some(d), &options(BiasModel::B, &paths[0], &paths[1])).unwrap();
    assert_eq!((s.train.images.len(), s.val.images.len()), (2_250, 1_875));
    assert_eq!((s.field.images.len(), s.holdout.images.len()), (29_209, 5_000));
    let expected = |position: usize| {
        position.checked_sub(26_640).map_or_else(|| train[position] as u64, |p| 26_640 + test[p] as u64)
    };
    for (field, first) in [(&s.field, 10_000), (&s.holdout, 5_000)] {
        for (i, id) in field.ids.iter().enumerate() {
            assert_eq!((id.0, field.images.get(i)[0]), (expected(first + i), grey(expected(first + i))));
        }
    }
    let pool: BTreeSet<u64> = (0..2_500).map(expected).collect();
    assert!(s.train.ids.iter().all(|id| pool.contains(&id.0)));
    assert_eq!((s.class_names[14].as_str(), s.classes()), ("stop", 43));

    // files that are not those of this data set
    let error = |o: &LoadOptions| load("gtsrb", Some(d), o).unwrap_err().to_string();
    let e = error(&options(BiasModel::A, &paths[1], &paths[0]));
    assert!(
        e.contains("train.npy") && e.contains("outside the pool of 12569") || e.contains("expected all 26640"),
        "{e}"
    );
    let e = error(&options(BiasModel::A, &paths[0], &paths[2]));
    assert!(e.contains("short.npy: 100 indices, expected all 12569"), "{e}");
    std::fs::rename(d.join("train/00007"), d.join("train/7")).unwrap();
    let e = error(&options(BiasModel::A, &paths[0], &paths[1]));
    assert!(e.contains("class folders of five digits"), "{e}");
    std::fs::rename(d.join("train/7"), d.join("train/seven")).unwrap();
    let e = error(&options(BiasModel::A, &paths[0], &paths[1]));
    assert!(e.contains("train/seven: is no class of GTSRB"), "{e}");
    std::fs::rename(d.join("train/seven"), d.join("train/00007")).unwrap();
    std::fs::remove_file(d.join("test/00000/00000.ppm")).unwrap();
    let e = error(&LoadOptions::default());
    assert!(e.contains("test: 12568 pictures, expected 12569"), "{e}");
}

#[test]
fn index_files_are_refused_where_they_do_not_belong() {
    let dir = tempfile::tempdir().unwrap();
    write_archive(dir.path());
    let source = DrawSource::IndexFiles { train: "a.npy".into(), val: "b.npy".into() };
    let options = LoadOptions { published: PublishedSplit { model: BiasModel::A, source }, ..LoadOptions::default() };
    let e = load("gtsrb", Some(dir.path()), &options).unwrap_err().to_string();
    assert!(e.contains("split file a.npy belongs to the archives of the online competition"), "{e}");
    let e = load("gtsrb-tracks", Some(dir.path()), &options).unwrap_err().to_string();
    assert!(e.contains("split file a.npy cannot be used: gtsrb-tracks has a split of its own"), "{e}");
}

fn folder() -> Option<PathBuf> {
    let found = std::env::var_os("HYBRIDREPAIR_DATA").map(|d| PathBuf::from(d).join("gtsrb")).filter(|d| d.is_dir());
    if found.is_none() {
        // past the capture of the test harness, so that a person sees it
        let _ = writeln!(std::io::stderr(), "SKIPPED: HYBRIDREPAIR_DATA names no folder with gtsrb/gtsrb32_train.bin");
    }
    found
}

#[test]
fn no_real_sign_is_on_both_sides() {
    let Some(dir) = folder() else { return };
    let frames = read_gtsrb_records(&dir).unwrap().frames;
    assert!(frames.is_sorted() && frames.len() == 39_209);
    let tracks = |ids: &[hybridrepair_core::SampleId]| -> BTreeSet<(u32, u32)> {
        ids.iter().map(|id| frames[id.0 as usize]).map(|f| (f.class, f.track)).collect()
    };
    let mut seen = BTreeMap::new();
    for model in BiasModel::ALL {
        let published = PublishedSplit { model, source: DrawSource::Seed(10) };
        let s = load("gtsrb-tracks", Some(&dir), &LoadOptions { published, ..LoadOptions::default() }).unwrap();
        assert_eq!((s.train.images.len(), s.val.images.len()), (2_250, 1_875), "{model}");
        assert_eq!((s.field.images.len(), s.holdout.images.len()), (22_949, 5_010), "{model}");
        let parts = [&s.train.ids, &s.val.ids, &s.field.ids, &s.holdout.ids].map(|ids| tracks(ids));
        assert!(parts[0].len() <= 250 && parts[1].len() <= 125 && parts[2].len() == 765 && parts[3].len() == 167);
        let together: BTreeSet<_> = parts.iter().flatten().collect();
        assert_eq!(together.len(), parts.iter().map(BTreeSet::len).sum::<usize>(), "a sign in two parts");
        let mut ledger = Ledger::new(0);
        let mut truth = |f: &Field| ledger.reveal(&f.labels, Purpose::Diagnose, "test").to_vec();
        for (part, labels) in
            [s.train.labels.clone(), s.val.labels.clone(), truth(&s.field), truth(&s.holdout)].iter().enumerate()
        {
            let classes: BTreeSet<&ClassId> = labels.iter().collect();
            assert_eq!(classes.len(), 43, "part {part} of {model}");
        }
        for (ids, labels) in [(&s.train.ids, &s.train.labels), (&s.field.ids, &truth(&s.field))] {
            assert!(ids.iter().zip(labels).all(|(id, c)| frames[id.0 as usize].class == c.0));
        }
        // holdout and field have the class shares of the whole within what whole tracks allow
        let share =
            |labels: &[ClassId], c: u32| labels.iter().filter(|l| l.0 == c).count() as f64 / labels.len() as f64;
        for c in 0..43 {
            let whole = frames.iter().filter(|f| f.class == c).count() as f64 / 39_209.0;
            assert!((share(&truth(&s.holdout), c) - whole).abs() < 0.004, "class {c}");
            assert!((share(&truth(&s.field), c) - whole).abs() < 0.0025, "class {c}");
        }
        // all models share their field and holdout
        let fixed = (s.field.ids.clone(), s.holdout.ids.clone());
        assert_eq!(seen.entry(0).or_insert_with(|| fixed.clone()), &fixed);
    }
    let wrong = LoadOptions { input: Some(InputSize::square(64)), ..LoadOptions::default() };
    let e = load("gtsrb-tracks", Some(&dir), &wrong).unwrap_err().to_string();
    assert!(e.contains("input size 64 x 64 is not that of the records"), "{e}");
}
