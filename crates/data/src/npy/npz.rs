use super::elements::Input;
use super::read::{bytes_of, vector_of};
use crate::DataError;
use crate::bytes::format_error;
use ndarray::{Array1, ArrayD};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use zip::{ZipArchive, result::ZipError};

/// A `.npz` file: a zip archive of `.npy` files, as `numpy.savez` and `numpy.savez_compressed` write it.
pub struct Npz {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    /// Opens an archive and reads its list of arrays.
    ///
    /// # Errors
    /// When the file cannot be read or is no zip archive.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io(path))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|e| zip(path, e))?;
        Ok(Self { path: path.to_owned(), archive })
    }

    /// Whether it holds an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(&entry(name)).is_some()
    }

    /// The names of its arrays.
    pub fn names(&self) -> Vec<String> {
        self.archive.file_names().map(|n| n.strip_suffix(".npy").unwrap_or(n).to_owned()).collect()
    }

    /// Reads bytes (`uint8`) of any number of dimensions, in C order.
    ///
    /// # Errors
    /// When there is no such array, or it is damaged or of another type.
    pub fn read_u8(&mut self, name: &str) -> Result<ArrayD<u8>, DataError> {
        let path = self.place(name);
        bytes_of(self.input(name, &path)?)
    }

    /// Reads a vector of whole numbers: signed up to 64 bits, unsigned up to 32.
    ///
    /// # Errors
    /// When there is no such array, or it is damaged or of another type or shape.
    pub fn read_i64_1d(&mut self, name: &str) -> Result<Array1<i64>, DataError> {
        let path = self.place(name);
        vector_of(self.input(name, &path)?)
    }

    /// The array as if the archive were a folder.
    fn place(&self, name: &str) -> PathBuf {
        self.path.join(entry(name))
    }

    fn input<'a>(&'a mut self, name: &str, path: &'a Path) -> Result<Input<'a, impl Read>, DataError> {
        let reader = self.archive.by_name(&entry(name)).map_err(|e| zip(path, e))?;
        // a claim: the archive's list of contents is not checked against them
        Ok(Input { path, bytes: reader.size(), reader, sure: false })
    }
}

fn entry(name: &str) -> String {
    format!("{name}.npy")
}

fn zip(path: &Path, error: ZipError) -> DataError {
    match error {
        ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => DataError::io(path)(error),
        error => format_error(path, format!("no usable .npz archive: {error}")),
    }
}

impl std::fmt::Debug for Npz {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Npz({}: {})", self.path.display(), self.names().join(", "))
    }
}
