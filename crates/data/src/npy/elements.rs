use super::NpyError;
use super::decode::Element;
use super::header::{self, Header};
use crate::DataError;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Elements decoded at a time.
const BLOCK: usize = 1 << 16;

/// Where an array is read from.
pub(super) struct Input<'a, R> {
    /// For errors.
    pub(super) path: &'a Path,
    pub(super) reader: R,
    /// Bytes that it has, or claims to have.
    pub(super) bytes: u64,
    /// Whether they are known to be there, so that memory for all of them may be taken at once.
    pub(super) sure: bool,
}

/// For `map_err`: what is wrong with this file.
pub(super) fn npy(path: &Path) -> impl Fn(NpyError) -> DataError {
    move |source| DataError::Npy { path: path.to_owned(), source }
}

impl<R: Read> Input<'_, R> {
    /// The header and the elements in file order; `dims` is the expected number of dimensions, if it matters.
    pub(super) fn elements<T: Element>(mut self, dims: Option<usize>) -> Result<(Header, Vec<T>), DataError> {
        let npy = npy(self.path);
        let bytes = self.bytes;
        let mut first = Vec::with_capacity(12);
        self.read(12, &mut first)?;
        let (at, length) = header::extent(&first).map_err(&npy)?;
        let start = (at + length) as u64;
        if bytes < start {
            return Err(npy(NpyError::Truncated { bytes, expected: start }));
        }
        // version 1 begins its text within the 12 bytes
        let mut text = first.split_off(at.min(first.len()));
        self.read(length.saturating_sub(text.len()), &mut text)?;
        let h = header::parse(&text, start).map_err(&npy)?;
        let (size, decode) = T::decoder(&h.descr).map_err(&npy)?;
        if let Some(expected) = dims.filter(|&d| d != h.shape.len()) {
            return Err(npy(NpyError::Dims { shape: h.shape, expected }));
        }
        let expected = h.file_size(size).map_err(&npy)?;
        if bytes < expected {
            return Err(npy(NpyError::Truncated { bytes, expected }));
        }
        if bytes > expected {
            return Err(npy(NpyError::Trailing { extra: bytes - expected }));
        }
        let count = h.shape.iter().product::<usize>();
        let mut data = Vec::with_capacity(if self.sure { count } else { count.min(BLOCK) });
        let mut block = Vec::with_capacity(size * BLOCK.min(count));
        while data.len() < count {
            let now = size * BLOCK.min(count - data.len());
            block.clear();
            self.read(now, &mut block)?;
            if block.len() < now {
                let bytes = start + (data.len() * size + block.len()) as u64;
                return Err(npy(NpyError::Truncated { bytes, expected }));
            }
            decode(&block, &mut data);
        }
        // an archive notices damage at the end of an entry only
        self.read(1, &mut block)?;
        Ok((h, data))
    }

    /// Appends so many bytes, or as many as there are.
    fn read(&mut self, bytes: usize, out: &mut Vec<u8>) -> Result<(), DataError> {
        match self.reader.by_ref().take(bytes as u64).read_to_end(out) {
            Ok(_) => Ok(()),
            Err(e)
                if matches!(e.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof) =>
            {
                Err(crate::bytes::format_error(self.path, format!("damaged: {e}")))
            }
            Err(e) => Err(DataError::io(self.path)(e)),
        }
    }
}
