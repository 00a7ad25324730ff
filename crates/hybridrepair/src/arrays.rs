//! Arrays of finished stages as `.npy`, so that other programs can read them.

use crate::Error;
use ndarray::{Array, Dimension};
use ndarray_npy::{ReadNpyExt, ReadableElement, WritableElement, WriteNpyExt};
use std::{
    fs::File,
    io::{BufReader, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
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

/// A `.npy` file of `f32` rows that is written piece by piece, under a temporary name until it is whole.
#[derive(Debug)]
pub struct NpyRows {
    path: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
    columns: usize,
    rows: usize,
}

/// Bytes before the numbers: magic, version 1.0, length of the header, header.
const HEAD: usize = 128;

impl NpyRows {
    /// Begins a file of rows of so many numbers.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path, columns: usize) -> Result<Self, Error> {
        let wrong = |e: std::io::Error| failed(path)(e.to_string());
        let temporary = path.with_extension("npy.tmp");
        let mut out = BufWriter::new(File::create(&temporary).map_err(wrong)?);
        out.write_all(&[0; HEAD]).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), temporary, out, columns, rows: 0 })
    }

    /// The next numbers, whole rows of them.
    ///
    /// # Errors
    /// When they are no whole rows, or cannot be written.
    pub fn push(&mut self, numbers: &[f32]) -> Result<(), Error> {
        if !numbers.len().is_multiple_of(self.columns.max(1)) {
            let why = format!("{} numbers are no whole rows of {}", numbers.len(), self.columns);
            return Err(failed(&self.path)(why));
        }
        self.rows += numbers.len() / self.columns.max(1);
        let bytes = numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
        self.out.write_all(&bytes).map_err(|e| failed(&self.path)(e.to_string()))
    }

    /// Writes the header and gives the file its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), Error> {
        let wrong = |e: std::io::Error| failed(&self.path)(e.to_string());
        let (n, d) = (self.rows, self.columns);
        let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {d}), }}");
        // ten bytes come before it, a newline after it
        header.push_str(&" ".repeat((HEAD - 11).saturating_sub(header.len())));
        header.push('\n');
        let length = (header.len() as u16).to_le_bytes();
        let start = [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes()].concat();
        self.out.seek(SeekFrom::Start(0)).map_err(wrong)?;
        self.out.write_all(&start).map_err(wrong)?;
        self.out.flush().map_err(wrong)?;
        self.out.get_ref().sync_all().map_err(wrong)?;
        std::fs::rename(&self.temporary, &self.path).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn rows_that_come_in_pieces_are_an_array_of_any_reader() {
        let dir = std::env::temp_dir().join(format!("hybridrepair-rows-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("x.npy");
        let mut rows = NpyRows::create(&path, 2).unwrap();
        rows.push(&[1.0, 2.0]).unwrap();
        assert!(!path.exists());
        assert!(rows.push(&[7.0]).is_err());
        rows.push(&[3.0, 4.0, 5.0, 6.0]).unwrap();
        rows.finish().unwrap();
        let read: Array2<f32> = read_array(&path).unwrap();
        assert_eq!(read, array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
