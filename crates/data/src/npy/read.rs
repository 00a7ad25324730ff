use super::NpyError;
use super::decode::Element;
use super::header::{self, Header};
use crate::DataError;
use hybridrepair_core::CoreError;
use ndarray::{Array1, Array2, ShapeBuilder};
use std::{fs::File, io::Read, path::Path};

/// Elements decoded at a time.
const BLOCK: usize = 1 << 16;

/// Reads a vector of finite `f32` (from `float32` or `float64`).
///
/// # Errors
/// When the file cannot be read, or is damaged, of another type or shape, or holds NaN or infinity.
pub fn read_f32_1d(path: &Path) -> Result<Array1<f32>, DataError> {
    vector(path)
}

/// Reads a matrix of finite `f32` (from `float32` or `float64`), rows by columns.
///
/// # Errors
/// As [`read_f32_1d`].
pub fn read_f32_2d(path: &Path) -> Result<Array2<f32>, DataError> {
    matrix(path)
}

/// Reads a vector of finite `f64` (from `float32` or `float64`).
///
/// # Errors
/// As [`read_f32_1d`].
pub fn read_f64_1d(path: &Path) -> Result<Array1<f64>, DataError> {
    vector(path)
}

/// Reads a matrix of finite `f64` (from `float32` or `float64`), rows by columns.
///
/// # Errors
/// As [`read_f32_1d`].
pub fn read_f64_2d(path: &Path) -> Result<Array2<f64>, DataError> {
    matrix(path)
}

/// Reads a vector of whole numbers: signed up to 64 bits, unsigned up to 32.
///
/// # Errors
/// When the file cannot be read, or is damaged, or of another type or shape.
pub fn read_i64_1d(path: &Path) -> Result<Array1<i64>, DataError> {
    vector(path)
}

/// Reads a matrix of whole numbers, rows by columns.
///
/// # Errors
/// As [`read_i64_1d`].
pub fn read_i64_2d(path: &Path) -> Result<Array2<i64>, DataError> {
    matrix(path)
}

fn vector<T: Element>(path: &Path) -> Result<Array1<T>, DataError> {
    let (_, data) = elements(path, 1)?;
    check(path, data.iter().map(|v: &T| v.not_finite()), 1)?;
    Ok(Array1::from_vec(data))
}

fn matrix<T: Element>(path: &Path) -> Result<Array2<T>, DataError> {
    let (h, data) = elements(path, 2)?;
    let (rows, cols) = (h.shape[0], h.shape[1]);
    let array = if h.fortran {
        let turned = Array2::from_shape_vec((rows, cols).f(), data);
        turned.map(|a| a.as_standard_layout().into_owned())
    } else {
        Array2::from_shape_vec((rows, cols), data)
    };
    let array = array.map_err(|e| npy(path)(NpyError::Header(e.to_string())))?;
    check(path, array.iter().map(|v: &T| v.not_finite()), cols)?;
    Ok(array)
}

/// Refuses the first value, in row order, that is not finite.
fn check(path: &Path, mut values: impl Iterator<Item = Option<f32>>, cols: usize) -> Result<(), DataError> {
    match values.by_ref().enumerate().find_map(|(i, v)| v.map(|v| (i, v))) {
        Some((i, value)) => {
            let what = "the array";
            Err(npy(path)(CoreError::NotFinite { what, row: i / cols, col: i % cols, value }.into()))
        }
        None => Ok(()),
    }
}

fn npy(path: &Path) -> impl Fn(NpyError) -> DataError {
    move |source| DataError::Npy { path: path.to_owned(), source }
}

/// The header and the elements in file order.
fn elements<T: Element>(path: &Path, dims: usize) -> Result<(Header, Vec<T>), DataError> {
    let (io, npy) = (|e| DataError::io(path)(e), npy(path));
    let mut file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    let mut first = Vec::with_capacity(12);
    file.by_ref().take(12).read_to_end(&mut first).map_err(io)?;
    let (at, length) = header::extent(&first).map_err(&npy)?;
    let start = (at + length) as u64;
    if bytes < start {
        return Err(npy(NpyError::Truncated { bytes, expected: start }));
    }
    // version 1 begins its text within the 12 bytes
    let mut text = first.split_off(at.min(first.len()));
    let more = length.saturating_sub(text.len()) as u64;
    file.by_ref().take(more).read_to_end(&mut text).map_err(io)?;
    let h = header::parse(&text, start).map_err(&npy)?;
    let (size, decode) = T::decoder(&h.descr).map_err(&npy)?;
    if h.shape.len() != dims {
        return Err(npy(NpyError::Dims { shape: h.shape, expected: dims }));
    }
    let expected = h.file_size(size).map_err(&npy)?;
    if bytes < expected {
        return Err(npy(NpyError::Truncated { bytes, expected }));
    }
    if bytes > expected {
        return Err(npy(NpyError::Trailing { extra: bytes - expected }));
    }
    let count = h.shape.iter().product::<usize>();
    let mut data = Vec::with_capacity(count);
    let mut block = vec![0u8; size * BLOCK.min(count)];
    while data.len() < count {
        let now = &mut block[..size * BLOCK.min(count - data.len())];
        file.read_exact(now).map_err(io)?;
        decode(now, &mut data);
    }
    Ok((h, data))
}
