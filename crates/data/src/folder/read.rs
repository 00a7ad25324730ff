//! Many picture files into memory.

use super::{InputSize, Skipped, decode_file};
use crate::bytes::format_error;
use crate::{DataError, Images};
use rayon::prelude::*;
use std::path::Path;

/// Picture files in memory.
#[derive(Debug)]
pub struct Pictures {
    /// Those that decode, in the given order.
    pub images: Images,
    /// For each of them its place in the given list.
    pub rows: Vec<usize>,
    /// The others.
    pub skipped: Vec<Skipped>,
}

/// Decodes files in parallel, in the given order; what does not decode is passed over and listed.
///
/// # Errors
/// When the input size is out of range, or the pictures do not fit into memory.
pub fn read_pictures<P: AsRef<Path> + Sync>(files: &[P], input: &InputSize) -> Result<Pictures, DataError> {
    input.check()?;
    let stride = input.stride();
    let too_many = || DataError::Value {
        what: "pictures:",
        given: format!("{} of {} x {}", files.len(), input.height, input.width),
        why: "do not fit into memory; take a smaller input size or fewer files",
    };
    let total = files.len().checked_mul(stride).ok_or_else(too_many)?;
    let mut data = Vec::new();
    data.try_reserve_exact(total).map_err(|_| too_many())?;
    data.resize(total, 0u8);
    let failures: Vec<Option<Skipped>> = data
        .par_chunks_mut(stride)
        .zip(files)
        .map(|(out, file)| {
            let path = file.as_ref();
            decode_file(path, input, out).err().map(|why| Skipped { path: path.to_owned(), why })
        })
        .collect();
    let (mut rows, mut skipped) = (Vec::with_capacity(files.len()), Vec::new());
    for (row, failure) in failures.into_iter().enumerate() {
        if let Some(failure) = failure {
            skipped.push(failure);
            continue;
        }
        // close the gaps
        data.copy_within(row * stride..(row + 1) * stride, rows.len() * stride);
        rows.push(row);
    }
    data.truncate(rows.len() * stride);
    Ok(Pictures { images: Images::new(data, input.height, input.width)?, rows, skipped })
}

/// As [`read_pictures`], for the files of a fixed data set: one that does not decode is an error.
pub(crate) fn read_all<P: AsRef<Path> + Sync>(files: &[P], input: &InputSize) -> Result<Images, DataError> {
    let read = read_pictures(files, input)?;
    match read.skipped.first() {
        None => Ok(read.images),
        Some(s) => Err(format_error(&s.path, format!("{}; read the data set's archive again", s.why))),
    }
}
