//! `.npy` files, good and bad.
#![allow(clippy::unwrap_used)]

use hybridrepair_data::{
    DataError,
    npy::{NpyError, read_f32_1d, read_f32_2d, read_f64_1d, read_f64_2d, read_i64_1d, read_i64_2d},
};
use ndarray::{Array2, ShapeBuilder, array};
use proptest::prelude::*;
use std::path::PathBuf;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// A file with this header and these elements.
fn file(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

fn reason(e: DataError) -> NpyError {
    match e {
        DataError::Npy { source, .. } => source,
        other => panic!("{other}"),
    }
}

#[test]
fn what_ndarray_npy_writes_is_read_back() {
    let dir = Folder::new();
    let path = dir.0.path().join("a.npy");
    let a = array![[1.5f32, -2.0, 3.25], [0.0, 1e-30, 7.0]];
    ndarray_npy::write_npy(&path, &a).unwrap();
    assert_eq!(read_f32_2d(&path).unwrap(), a);
    assert_eq!(read_f64_2d(&path).unwrap(), a.mapv(f64::from));
    let f = Array2::from_shape_vec((2, 3).f(), vec![1.0f64, 4.0, 2.0, 5.0, 3.0, 6.0]).unwrap();
    ndarray_npy::write_npy(&path, &f).unwrap();
    let read = read_f32_2d(&path).unwrap();
    assert_eq!(read, array![[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    assert!(read.is_standard_layout());
    ndarray_npy::write_npy(&path, &array![5i64, -1, i64::MAX]).unwrap();
    assert_eq!(read_i64_1d(&path).unwrap(), array![5, -1, i64::MAX]);
    ndarray_npy::write_npy(&path, &array![[5u8, 255]]).unwrap();
    assert_eq!(read_i64_2d(&path).unwrap(), array![[5, 255]]);
    ndarray_npy::write_npy(&path, &Array2::<f32>::zeros((0, 4))).unwrap();
    assert_eq!(read_f32_2d(&path).unwrap().dim(), (0, 4));
    ndarray_npy::write_npy(&path, &Array2::<f32>::zeros((4, 0))).unwrap();
    assert_eq!(read_f32_2d(&path).unwrap().dim(), (4, 0));
}

#[test]
fn big_endian_is_turned() {
    let dir = Folder::new();
    let data: Vec<u8> = [1.5f64, -3.0].iter().flat_map(|v| v.to_be_bytes()).collect();
    assert_eq!(read_f64_1d(&dir.put("b", &file(">f8", false, "(2,)", &data))).unwrap(), array![1.5, -3.0]);
    let data: Vec<u8> = [-7i32, 8].iter().flat_map(|v| v.to_be_bytes()).collect();
    assert_eq!(read_i64_1d(&dir.put("i", &file(">i4", false, "(2,)", &data))).unwrap(), array![-7, 8]);
}

#[test]
fn a_value_that_is_not_finite_is_named() {
    let dir = Folder::new();
    let data: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0, f32::NAN, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let e = read_f32_2d(&dir.put("nan.npy", &file("<f4", false, "(2, 3)", &data))).unwrap_err();
    assert!(e.to_string().ends_with("nan.npy: the array holds NaN at row 1, column 1"), "{e}");
    let e = read_f32_2d(&dir.put("f.npy", &file("<f4", true, "(2, 3)", &data))).unwrap_err();
    assert!(e.to_string().ends_with("row 0, column 2"), "{e}");
    // finite in the file, infinite as f32
    let e = read_f32_1d(&dir.put("inf", &file("<f8", false, "(1,)", &1e300f64.to_le_bytes()))).unwrap_err();
    assert!(e.to_string().contains("holds inf at row 0, column 0"), "{e}");
}

#[test]
fn bad_files_are_refused_with_a_reason() {
    let dir = Folder::new();
    let read = |bytes: &[u8]| reason(read_f32_2d(&dir.put("x", bytes)).unwrap_err());
    assert_eq!(read(b""), NpyError::Magic);
    assert_eq!(read(b"PK\x03\x04 an npz"), NpyError::Magic);
    let good = file("<f4", false, "(2, 2)", &[0; 16]);
    assert!(matches!(read(&good[..good.len() - 1]), NpyError::Truncated { .. }));
    assert!(matches!(read(&good[..40]), NpyError::Truncated { .. }));
    assert!(matches!(read(&good[..9]), NpyError::Truncated { .. }));
    assert_eq!(read(&[&good[..], b"!"].concat()), NpyError::Trailing { extra: 1 });
    assert!(matches!(read(&file("<i8", false, "(2, 2)", &[0; 32])), NpyError::Dtype { .. }));
    assert!(matches!(read(&file("<f2", false, "(2, 2)", &[0; 8])), NpyError::Dtype { .. }));
    assert!(matches!(read(&file("|O", false, "(2, 2)", &[0; 8])), NpyError::Dtype { .. }));
    assert_eq!(read(&file("<f4", false, "(4,)", &[0; 16])), NpyError::Dims { shape: vec![4], expected: 2 });
    // sizes that nobody has: refused before anything is allocated
    assert!(matches!(read(&file("<f4", false, "(1000000000, 1000000)", &[0; 16])), NpyError::Truncated { .. }));
    assert!(matches!(read(&file("<f4", false, "(18446744073709551615, 2)", &[])), NpyError::Header(_)));
    assert!(matches!(read(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'"), NpyError::Header(_)));
    let e = read_i64_1d(&dir.put("d", &file("<f8", false, "(1,)", &[0; 8]))).unwrap_err();
    assert!(e.to_string().contains("holds \"<f8\" elements, expected int64"), "{e}");
    assert!(matches!(read_f32_1d(&dir.0.path().join("none")), Err(DataError::Io { .. })));
    assert!(matches!(read_f32_1d(dir.0.path()), Err(DataError::Io { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_file_gives_an_error_or_an_array(at in 0usize..90, byte: u8, cut in 0usize..120) {
        let dir = Folder::new();
        let mut bytes = file("<f4", false, "(2, 3)", &[63; 24]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = read_f32_2d(&dir.put("x", &bytes));
        bytes.truncate(cut);
        let _ = read_f32_2d(&dir.put("y", &bytes));
    }
}
