//! The data set `arrays`: pictures and labels that numpy wrote.
#![allow(clippy::unwrap_used)]

use hybridrepair_core::{Ledger, Purpose};
use hybridrepair_data::{LoadOptions, Splits, load, npy::Npz};
use ndarray::{Array1, Array3, Array4, ArrayD, ShapeBuilder};
use ndarray_npy::{NpzWriter, write_npy};
use proptest::prelude::*;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const PARTS: [(&str, usize); 4] = [("train", 20), ("val", 5), ("field", 30), ("holdout", 10)];

/// Pictures that show their label in the first channel.
fn pictures(n: usize) -> Array4<u8> {
    Array4::from_shape_fn((n, 6, 4, 3), |(i, y, x, c)| if c == 0 { (i % 3) as u8 } else { (y * 4 + x + 100 * c) as u8 })
}

fn labels(n: usize) -> Array1<i64> {
    (0..n as i64).map(|i| i % 3).collect()
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (part, n) in PARTS {
        write_npy(dir.path().join(format!("{part}_images.npy")), &pictures(n)).unwrap();
        write_npy(dir.path().join(format!("{part}_labels.npy")), &labels(n)).unwrap();
    }
    dir
}

fn read(path: &Path) -> Result<Splits, String> {
    load("arrays", Some(path), &LoadOptions::default()).map_err(|e| e.to_string())
}

fn check(s: &Splits) {
    assert_eq!((s.train.images.len(), s.val.images.len()), (20, 5));
    assert_eq!((s.field.images.len(), s.holdout.images.len()), (30, 10));
    assert_eq!((s.train.images.height(), s.train.images.width()), (6, 4));
    for (i, label) in s.train.labels.iter().enumerate() {
        assert_eq!(usize::from(s.train.images.get(i)[0]), label.column());
        assert_eq!(s.train.images.get(i)[3 * (4 * 2 + 3) + 2], 211);
    }
    let truth = Ledger::new(0).reveal(&s.holdout.labels, Purpose::Evaluate, "test").to_vec();
    assert!(truth.iter().enumerate().all(|(i, c)| c.column() == i % 3));
    // ids of all parts are distinct
    assert_eq!((s.val.ids[0].0, s.field.ids[0].0, s.holdout.ids[9].0), (20, 25, 64));
}

#[test]
fn a_folder_is_read() {
    let dir = folder();
    let s = read(dir.path()).unwrap();
    check(&s);
    assert_eq!(s.class_names, ["0", "1", "2"]);
    let mean = s.normalization.mean;
    // labels 0, 1, 2 as pixels; 0 to 23 above 100 and 200
    assert!((mean[0] * 255.0 - 19.0 / 20.0).abs() < 1e-4 && (mean[1] * 255.0 - 111.5).abs() < 1e-4, "{mean:?}");
    assert!((s.normalization.std[1] * 255.0 - (575.0f32 / 12.0).sqrt()).abs() < 1e-4);
    // one deviation is below a level
    assert!((s.normalization.std[0] * 255.0 - 1.0).abs() < 1e-6);
    std::fs::write(dir.path().join("class_names.txt"), "stop\nyield\nahead\nnever\n").unwrap();
    assert_eq!(read(dir.path()).unwrap().class_names[3], "never");
    // Fortran order is turned
    let turned = Array4::from_shape_vec((20, 6, 4, 3).f(), pictures(20).reversed_axes().iter().copied().collect());
    write_npy(dir.path().join("train_images.npy"), &turned.unwrap()).unwrap();
    check(&read(dir.path()).unwrap());
}

#[test]
fn grey_pictures_and_a_missing_val() {
    let dir = folder();
    for (part, n) in PARTS {
        let grey = Array3::from_shape_fn((n, 6, 4), |(i, ..)| i as u8);
        write_npy(dir.path().join(format!("{part}_images.npy")), &grey).unwrap();
        write_npy(dir.path().join(format!("{part}_labels.npy")), &labels(n).mapv(|v| v as u8)).unwrap();
    }
    std::fs::remove_file(dir.path().join("val_images.npy")).unwrap();
    let s = read(dir.path()).unwrap();
    assert_eq!((s.train.images.len(), s.val.images.len()), (18, 2));
    assert_eq!((s.val.ids[0].0, s.val.ids[1].0, s.field.ids[0].0), (9, 19, 20));
    assert_eq!(s.val.images.get(1)[..6], [19; 6]);
    assert_eq!(s.val.labels[1].column(), 19 % 3);
}

fn npz(path: &Path, compressed: bool) {
    let file = File::create(path).unwrap();
    let mut npz = if compressed { NpzWriter::new_compressed(file) } else { NpzWriter::new(file) };
    for (part, n) in PARTS {
        npz.add_array(format!("{part}_images"), &pictures(n)).unwrap();
        npz.add_array(format!("{part}_labels"), &labels(n)).unwrap();
    }
    npz.finish().unwrap();
}

#[test]
fn an_npz_is_read_itself_or_from_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    for compressed in [false, true] {
        let path = dir.path().join("set.npz");
        npz(&path, compressed);
        check(&read(&path).unwrap());
        check(&read(dir.path()).unwrap());
    }
    npz(&dir.path().join("other.npz"), false);
    let e = read(dir.path()).unwrap_err();
    assert!(e.contains("several .npz files"), "{e}");
}

#[test]
fn what_is_wrong_is_said_with_the_file() {
    let dir = folder();
    let says = |text: &str| {
        let e = read(dir.path()).unwrap_err();
        assert!(e.contains(text), "{e}\nand not: {text}");
    };
    let put = |name: &str, array: &ArrayD<u8>| write_npy(dir.path().join(name), array).unwrap();
    put("field_images.npy", &ArrayD::zeros(vec![30, 6, 5, 3]));
    says("field_images.npy: pictures of (6, 5), those of train have (6, 4)");
    put("field_images.npy", &ArrayD::zeros(vec![30, 6, 4, 4]));
    says("field_images.npy: shape [30, 6, 4, 4], expected (n, height, width, 3) or (n, height, width), none 0");
    put("field_images.npy", &ArrayD::zeros(vec![0, 6, 4, 3]));
    says("none 0");
    put("field_images.npy", &pictures(29).into_dyn());
    says("field_labels.npy: 30 labels for the 29 pictures of field_images");
    put("field_images.npy", &pictures(30).into_dyn());
    put("holdout_labels.npy", &ArrayD::from_elem(vec![10], 3));
    says("holdout_labels.npy: label 3 of picture 0 is outside the 3 classes of train");
    put("holdout_labels.npy", &ArrayD::from_elem(vec![10, 1], 1));
    says("holdout_labels.npy: has shape [10, 1], expected 1 dimension(s)");
    std::fs::remove_file(dir.path().join("holdout_labels.npy")).unwrap();
    says("holdout_labels.npy not found; the folder must hold train_images.npy");
    write_npy(dir.path().join("train_labels.npy"), &Array1::from_elem(20, -1i64)).unwrap();
    put("holdout_labels.npy", &ArrayD::zeros(vec![10]));
    says("train_labels.npy: label -1 is no number of a class");
    write_npy(dir.path().join("train_images.npy"), &pictures(20).mapv(f32::from)).unwrap();
    says("train_images.npy: holds \"<f4\" elements, expected uint8 (convert with .astype('uint8'))");
}

/// An archive with one entry of these bytes.
fn archive(path: &Path, name: &str, content: &[u8], method: CompressionMethod) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    zip.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap();
}

fn header(shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn damaged_archives_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npz");
    let says = |name: &str, text: &str| {
        let e = Npz::open(&path).and_then(|mut n| n.read_u8(name)).unwrap_err().to_string();
        assert!(e.contains("x.npz") && e.contains(text), "{e}\nand not: {text}");
    };
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        archive(&path, "a.npy", &[&header("(2, 3)")[..], &[7; 6]].concat(), method);
        let mut npz = Npz::open(&path).unwrap();
        assert_eq!((npz.names(), npz.has("a"), npz.has("b")), (vec!["a".to_owned()], true, false));
        assert_eq!(npz.read_u8("a").unwrap(), ArrayD::from_elem(vec![2, 3], 7));
        says("b", "b.npy: no usable .npz archive");
        archive(&path, "a.npy", &[&header("(2, 3)")[..], &[7; 5]].concat(), method);
        says("a", "x.npz/a.npy: truncated");
        archive(&path, "a.npy", &header("(4000000000, 1000)"), method);
        says("a", "truncated");
        // the claim of the archive and that of the header agree, and both are wrong
        archive(&path, "a.npy", &header("(3999999000, )"), method);
        let mut bytes = std::fs::read(&path).unwrap();
        let start = header("(3999999000, )").len() as u32;
        let list = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        for at in [22, list + 24] {
            bytes[at..at + 4].copy_from_slice(&(3_999_999_000 + start).to_le_bytes());
        }
        std::fs::write(&path, &bytes).unwrap();
        says("a", "a.npy: ");
        // a byte of the data
        archive(&path, "a.npy", &[&header("(2, 3)")[..], &[7; 6]].concat(), CompressionMethod::Stored);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(6).position(|w| w == [7; 6]).unwrap();
        bytes[at] = 8;
        std::fs::write(&path, &bytes).unwrap();
        says("a", "a.npy: damaged: Invalid checksum");
    }
    std::fs::write(&path, b"no archive").unwrap();
    says("a", "no usable .npz archive");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_damaged_archive_gives_an_error_or_an_array(at in 0usize..400, byte: u8, cut in 0usize..400, deflate: bool) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.npz");
        let method = if deflate { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        archive(&path, "a.npy", &[&header("(2, 3)")[..], &[7; 6]].concat(), method);
        let mut bytes = std::fs::read(&path).unwrap();
        let len = bytes.len();
        bytes[at % len] = byte;
        std::fs::write(&path, &bytes).unwrap();
        let _ = Npz::open(&path).and_then(|mut n| n.read_u8("a"));
        bytes.truncate(cut);
        std::fs::write(&path, &bytes).unwrap();
        let _ = Npz::open(&path).and_then(|mut n| n.read_u8("a"));
    }
}
