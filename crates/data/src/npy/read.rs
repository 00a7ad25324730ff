use super::NpyError;
use super::decode::Element;
use super::elements::{Input, npy};
use super::header::Header;
use crate::DataError;
use hybridrepair_core::CoreError;
use ndarray::{Array1, Array2, ArrayD, IxDyn, ShapeBuilder};
use std::{fs::File, io::Read, path::Path};

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

/// Reads bytes (`uint8`) of any number of dimensions, in C order.
///
/// # Errors
/// When the file cannot be read, or is damaged or of another type.
pub fn read_u8(path: &Path) -> Result<ArrayD<u8>, DataError> {
    bytes_of(file(path)?)
}

/// The file as an input.
fn file(path: &Path) -> Result<Input<'_, File>, DataError> {
    let reader = File::open(path).map_err(DataError::io(path))?;
    let bytes = reader.metadata().map_err(DataError::io(path))?.len();
    Ok(Input { path, reader, bytes, sure: true })
}

pub(super) fn bytes_of(input: Input<'_, impl Read>) -> Result<ArrayD<u8>, DataError> {
    let path = input.path;
    let (Header { fortran, shape, .. }, data) = input.elements(None)?;
    let array = if fortran {
        ArrayD::from_shape_vec(IxDyn(&shape).f(), data).map(|a| a.as_standard_layout().into_owned())
    } else {
        ArrayD::from_shape_vec(shape, data)
    };
    array.map_err(|e| npy(path)(NpyError::Header(e.to_string())))
}

pub(super) fn vector_of<T: Element>(input: Input<'_, impl Read>) -> Result<Array1<T>, DataError> {
    let path = input.path;
    let (_, data) = input.elements(Some(1))?;
    check(path, data.iter().map(|v: &T| v.not_finite()), 1)?;
    Ok(Array1::from_vec(data))
}

fn vector<T: Element>(path: &Path) -> Result<Array1<T>, DataError> {
    vector_of(file(path)?)
}

fn matrix<T: Element>(path: &Path) -> Result<Array2<T>, DataError> {
    let (h, data) = file(path)?.elements(Some(2))?;
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
