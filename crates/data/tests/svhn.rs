//! Files in the format of SVHN: made by scipy, written byte by byte, and damaged.
#![allow(clippy::unwrap_used)]

use flate2::{Compression, write::ZlibEncoder};
use hybridrepair_core::ClassId;
use hybridrepair_data::{BiasModel, DrawSource, LoadOptions, PublishedSplit, load, read_svhn_part};
use proptest::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};

const U8: u32 = 2;
const I32: u32 = 5;
const U32: u32 = 6;
const F64: u32 = 9;
const UINT8_CLASS: u8 = 9;
const DOUBLE_CLASS: u8 = 6;

/// An element with its tag, filled up to 8 bytes; one of up to 4 bytes lies within its tag.
fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = if data.len() <= 4 {
        ((data.len() as u32) << 16 | kind).to_le_bytes().to_vec()
    } else {
        [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat()
    };
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn array(name: &str, class: u8, dims: &[i32], (kind, numbers): (u32, &[u8])) -> Vec<u8> {
    let flags = element(U32, &[class, 0, 0, 0, 0, 0, 0, 0]);
    let dims = element(I32, &dims.iter().flat_map(|d| d.to_le_bytes()).collect::<Vec<_>>());
    element(14, &[flags, dims, element(1, name.as_bytes()), element(kind, numbers)].concat())
}

fn compressed(element: &[u8]) -> Vec<u8> {
    let mut z = ZlibEncoder::new(Vec::new(), Compression::fast());
    z.write_all(element).unwrap();
    let data = z.finish().unwrap();
    [&15u32.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), &data].concat()
}

fn file(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file, written by a test".to_vec();
    bytes.resize(124, b' ');
    bytes.extend([0x00, 0x01, b'I', b'M']);
    bytes.extend(elements.concat());
    bytes
}

/// The pictures of `fixtures/make_svhn_fixtures.py`.
fn pattern(y: usize, x: usize, c: usize, n: usize) -> u8 {
    (y / 4 * 16 + x / 4 + 64 * c + 7 * n) as u8
}

/// `n` of them, in MATLAB's order.
fn planes(n: usize) -> Vec<u8> {
    (0..n * 3072).map(|i| pattern(i % 32, i / 32 % 32, i / 1024 % 3, i / 3072)).collect()
}

fn x(n: usize) -> Vec<u8> {
    array("X", UINT8_CLASS, &[32, 32, 3, n as i32], (U8, &planes(n)))
}

fn y(labels: &[u8]) -> Vec<u8> {
    array("y", UINT8_CLASS, &[labels.len() as i32, 1], (U8, labels))
}

fn check(path: &Path, labels: &[u32]) {
    let (images, classes) = read_svhn_part(path).unwrap();
    assert_eq!(classes, labels.iter().map(|&c| ClassId::from(c as usize)).collect::<Vec<_>>());
    assert_eq!((images.len(), images.height(), images.width()), (labels.len(), 32, 32));
    for n in 0..images.len() {
        for (i, &v) in images.get(n).iter().enumerate() {
            assert_eq!(v, pattern(i / 96, i / 3 % 32, i % 3, n), "picture {n}, byte {i}");
        }
    }
}

fn put(dir: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join("train_32x32.mat");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn what_scipy_writes_is_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    check(&fixtures.join("svhn-compressed.mat"), &[0, 1, 9, 0, 5]);
    check(&fixtures.join("svhn-plain.mat"), &[0, 1]);
}

#[test]
fn labels_may_be_stored_in_any_way() {
    let dir = tempfile::tempdir().unwrap();
    let doubles: Vec<u8> = [10.0f64, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let as_double = array("y", DOUBLE_CLASS, &[2, 1], (F64, &doubles));
    // MATLAB keeps doubles that are small whole numbers as bytes; scipy turns vectors
    let as_bytes = array("y", DOUBLE_CLASS, &[1, 2], (U8, &[10, 3]));
    for y in [as_double, as_bytes, y(&[10, 3])] {
        check(&put(&dir, &file(&[x(2), y.clone()])), &[0, 3]);
        check(&put(&dir, &file(&[compressed(&y), compressed(&x(2))])), &[0, 3]);
    }
    // without the last dimension of 1
    let single = array("X", UINT8_CLASS, &[32, 32, 3], (U8, &planes(1)));
    check(&put(&dir, &file(&[single, y(&[1])])), &[1]);
}

#[test]
fn what_is_wrong_is_said_with_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let says = |bytes: &[u8], text: &str| {
        let e = read_svhn_part(&put(&dir, bytes)).unwrap_err().to_string();
        assert!(e.contains("train_32x32.mat: ") && e.contains(text), "{e}\nand not: {text}");
    };
    let good = y(&[10, 3]);
    let pictures = |dims: &[i32], n: usize| array("X", UINT8_CLASS, dims, (U8, &planes(n)));
    says(&file(&[x(2)]), "array \"y\" is not there");
    says(&file(&[x(2), good.clone(), x(2)]), "array \"X\" stands there twice");
    says(&file(&[x(3), good.clone()]), "y has dimensions [2, 1] for the 3 pictures of X [32, 32, 3, 3]");
    says(&file(&[pictures(&[3, 32, 32, 2], 2), good.clone()]), "X has dimensions [3, 32, 32, 2], expected [32, 32, 3");
    says(&file(&[pictures(&[32, 32, 3, 3], 2), good.clone()]), "X has 6144 bytes of numbers, its dimensions");
    says(&file(&[pictures(&[32, 32, 3, -2], 2), good.clone()]), "X has dimensions that cannot be");
    says(&file(&[pictures(&[i32::MAX; 9], 2), good.clone()]), "need more than can be");
    let doubles = vec![0; 8 * 6144];
    says(&file(&[array("X", DOUBLE_CLASS, &[32, 32, 3, 2], (F64, &doubles)), good.clone()]), "X is not of uint8");
    says(
        &file(&[array("X", 4, &[1, 2], (4, &[65, 0, 66, 0])), good.clone()]),
        "X is no array of real numbers (class 4)",
    );
    says(&file(&[array("X", UINT8_CLASS, &[1, 2], (99, &[65, 0])), good.clone()]), "the unknown type 99");
    says(&file(&[x(2), y(&[10, 11])]), "picture 1 has label 11, expected 1 to 10 (10 for digit 0)");
    says(&file(&[x(2), y(&[0, 1])]), "picture 0 has label 0, expected 1 to 10");
    let half: Vec<u8> = [0.5f64, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    says(&file(&[x(2), array("y", DOUBLE_CLASS, &[2, 1], (F64, &half))]), "something else than whole numbers");
    // other kinds of files
    says(b"<html>Not found</html>", "it has 22 bytes, its header alone 128");
    says(b"MATLAB 7.3 MAT-file, Platform: GLNXA64", "version 7.3 (HDF5); save it with -v7");
    let mut big = file(&[x(2), good.clone()]);
    big[124..128].copy_from_slice(b"\x01\x00MI");
    says(&big, "it is big-endian");
    big[124..128].copy_from_slice(b"\x00\x07IM");
    says(&big, "another version or byte order");
    // a checksum that does not fit
    let mut packed = file(&[compressed(&good), compressed(&x(2))]);
    let last = packed.len() - 1;
    packed[last] ^= 1;
    says(&packed, "damaged or no MATLAB file");
}

#[test]
fn every_shorter_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in [file(&[x(2), y(&[10, 3])]), file(&[compressed(&x(2)), compressed(&y(&[10, 3]))])] {
        for n in (0..bytes.len()).step_by(7).chain(bytes.len() - 20..bytes.len()) {
            // the filling of the last element may be missing, but no data
            match read_svhn_part(&put(&dir, &bytes[..n])) {
                Ok((images, _)) => assert!(images.len() == 2 && n > bytes.len() - 8, "{n} of {}", bytes.len()),
                Err(e) => assert!(e.to_string().contains("train_32x32.mat: "), "{e}"),
            }
        }
    }
}

#[test]
fn claims_take_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    // 4 GB of numbers that are not there, by tag and by dimensions
    let dims = [32, 32, 3, i32::MAX / 3072];
    let mut claim = array("X", UINT8_CLASS, &dims, (U8, &[0; 8]));
    let at = claim.len() - 12;
    let size = dims.iter().product::<i32>() as u32;
    claim[at..at + 4].copy_from_slice(&size.to_le_bytes());
    claim[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    for element in [claim.clone(), compressed(&claim)] {
        let e = read_svhn_part(&put(&dir, &file(&[element]))).unwrap_err().to_string();
        assert!(e.contains(&format!("has 8 of the {size} bytes of its tag")), "{e}");
    }
    claim[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let e = read_svhn_part(&put(&dir, &file(&[claim]))).unwrap_err().to_string();
    assert!(e.contains("X has 4294967295 bytes of numbers, its dimensions"), "{e}");
}

#[test]
fn the_official_files_are_cut_as_published() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, n: usize| {
        let labels: Vec<u8> = (0..n).map(|i| (i % 10 + 1) as u8).collect();
        let mut pictures = vec![0; n * 3072];
        // the first byte of each picture shows its label
        pictures.iter_mut().step_by(3072).zip(&labels).for_each(|(p, &l)| *p = l);
        let x = array("X", UINT8_CLASS, &[32, 32, 3, n as i32], (U8, &pictures));
        std::fs::write(dir.path().join(name), file(&[compressed(&x), compressed(&y(&labels))])).unwrap();
    };
    write("train_32x32.mat", 73_257);
    write("test_32x32.mat", 26_031);
    let e = load("svhn", Some(dir.path()), &LoadOptions::default()).unwrap_err().to_string();
    assert!(e.ends_with("test_32x32.mat: 26031 pictures, expected 26032"), "{e}");
    write("test_32x32.mat", 26_032);
    let published = PublishedSplit { model: BiasModel::B, source: DrawSource::Seed(10) };
    let s = load("svhn", Some(dir.path()), &LoadOptions { published, ..LoadOptions::default() }).unwrap();
    assert_eq!((s.train.images.len(), s.val.images.len()), (3_750, 3_750));
    assert_eq!((s.field.images.len(), s.holdout.images.len()), (79_289, 10_000));
    for (i, label) in s.train.labels.iter().enumerate() {
        assert_eq!(usize::from(s.train.images.get(i)[0]) % 10, label.column());
        assert_eq!((s.train.ids[i].0 as usize + 1) % 10, label.column());
    }
    assert_eq!((s.field.ids[0].0, s.field.ids[79_288].0), (20_000, 99_288));
    assert_eq!(s.class_names[0], "0");
    // digit 1 is rare in model B
    assert!(s.train.labels.iter().filter(|c| c.column() == 1).count() < 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_damaged_file_gives_an_error_or_pictures(at in 0usize..6000, byte: u8, front in 0usize..220, packed: bool) {
        let dir = tempfile::tempdir().unwrap();
        let elements = [x(1), y(&[4])];
        let mut bytes = file(&if packed { elements.map(|e| compressed(&e)) } else { elements });
        let len = bytes.len();
        bytes[at % len] ^= byte;
        let _ = read_svhn_part(&put(&dir, &bytes));
        // the headers more often
        bytes[front % len] = byte;
        let _ = read_svhn_part(&put(&dir, &bytes));
    }
}
