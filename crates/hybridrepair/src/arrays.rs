//! Arrays of finished stages as `.npy`, so that other programs can read them.

use crate::Error;
use ndarray::{Array, Dimension};
use ndarray_npy::{ReadNpyExt, ReadableElement, WritableElement, WriteNpyExt};
use std::{
    fs::File,
    io::{BufReader, BufWriter},
    path::Path,
};

fn failed(path: &Path) -> impl Fn(String) -> Error + '_ {
    move |why| Error::Array { path: path.to_owned(), why }
}

/// Writes an array.
///
/// # Errors
/// When the file cannot be written.
pub fn write_array<T: WritableElement, D: Dimension>(path: &Path, array: &Array<T, D>) -> Result<(), Error> {
    let file = File::create(path).map_err(|e| failed(path)(e.to_string()))?;
    array.write_npy(BufWriter::new(file)).map_err(|e| failed(path)(e.to_string()))
}

/// Reads an array.
///
/// # Errors
/// When the file is missing, cut short or of another type.
pub fn read_array<T: ReadableElement, D: Dimension>(path: &Path) -> Result<Array<T, D>, Error> {
    let file = File::open(path).map_err(|e| failed(path)(e.to_string()))?;
    Array::read_npy(BufReader::new(file)).map_err(|e| failed(path)(e.to_string()))
}
