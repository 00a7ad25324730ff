//! From views of storages to tensors of their own.

use crate::{
    NamedTensor, TensorView, Value,
    container::{Content, Record},
    error::{Fault, Outcome, wrong},
    source::Source,
};
use std::collections::HashSet;

/// Bytes that are read for all tensors together, as a multiple of the file: expanded views and many views of one storage
/// could be of any size.
const PER_BYTE: u64 = 8;

/// What a small file may take beside that.
const AT_LEAST: u64 = 1 << 20;

/// Bytes of a storage that are checked at a time.
const BLOCK: u64 = 1 << 20;

/// Reads tensors, within bounds.
pub(crate) struct Gatherer<'a> {
    source: &'a Source,
    content: &'a Content,
    /// Bytes that may still be read.
    left: u64,
    /// Storages, by their place, whose checksum fits.
    checked: HashSet<u64>,
}

/// The bytes of a view, within its record: first, and one after the last.
struct Span {
    start: u64,
    end: u64,
    numel: u64,
}

impl<'a> Gatherer<'a> {
    pub(crate) fn new(source: &'a Source, content: &'a Content) -> Self {
        let left = source.len().saturating_mul(PER_BYTE).saturating_add(AT_LEAST);
        Self { source, content, left, checked: HashSet::new() }
    }

    /// The tensor, contiguous and little-endian.
    pub(crate) fn read(&mut self, name: &str, view: &TensorView) -> Outcome<NamedTensor> {
        let (record, span) = self.span(view)?;
        let (shape, size) = (extents(&view.shape)?, view.dtype.size() as u64);
        let mut data = Vec::new();
        if span.numel > 0 {
            let bytes = span.numel.saturating_mul(size);
            self.left = match self.left.checked_sub(bytes.max(span.end - span.start)) {
                Some(left) => left,
                None => return wrong("and the tensors before it are many times larger than the file: expanded views?"),
            };
            let stored = self.source.read(record.at + span.start, span.end - span.start)?;
            self.check(record, &stored)?;
            data = if is_contiguous(view) { stored } else { spread(&stored, view, bytes as usize) };
            if self.content.big_endian {
                data.chunks_exact_mut(view.dtype.word()).for_each(<[u8]>::reverse);
            }
        }
        Ok(NamedTensor { name: name.to_owned(), dtype: view.dtype, shape, data })
    }

    /// Where the elements of a view lie; checks that they lie in the storage, and it in the file.
    fn span(&self, view: &TensorView) -> Outcome<(Record, Span)> {
        let Value::Storage(storage) = self.content.values.get(view.storage) else {
            return wrong("has no storage");
        };
        let key = self.content.values.text(storage.key).unwrap_or_default();
        let Some(record) = self.content.records.get(key) else {
            return wrong(format!("needs storage {key:?}, which is not in the file"));
        };
        let beyond = || Fault::Format(format!("reaches beyond its storage {key:?}"));
        let element = storage.element.map_or(0, u64::from);
        let whole = storage.numel.checked_mul(element).filter(|bytes| *bytes <= record.len);
        let Some(whole) = whole else {
            return wrong(format!("needs {} elements of storage {key:?}, which is shorter", storage.numel));
        };
        // a part of a storage lies within it: checked when it was read
        let (first, len) = storage.view.map_or((0, whole), |(first, len)| (first * element, len * element));
        let numel = view.shape.iter().try_fold(1u64, |product, n| product.checked_mul(*n)).ok_or_else(beyond)?;
        if numel == 0 {
            return Ok((*record, Span { start: 0, end: 0, numel }));
        }
        let last = view
            .shape
            .iter()
            .zip(&view.strides)
            .try_fold(view.offset, |last, (n, stride)| last.checked_add((n - 1).checked_mul(*stride)?));
        let size = view.dtype.size() as u64;
        let end = last.and_then(|last| last.checked_add(1)?.checked_mul(size)).filter(|end| *end <= len);
        let end = end.ok_or_else(beyond)?;
        // the offset is at most the last element
        Ok((*record, Span { start: first + view.offset * size, end: first + end, numel }))
    }

    /// Compares the checksum of a storage, of which `read` was read, once.
    fn check(&mut self, record: Record, read: &[u8]) -> Outcome<()> {
        let Some(expected) = record.crc.filter(|_| self.checked.insert(record.at)) else { return Ok(()) };
        let found = if read.len() as u64 == record.len {
            crc32fast::hash(read)
        } else {
            let mut hasher = crc32fast::Hasher::new();
            for start in (0..record.len).step_by(BLOCK as usize) {
                hasher.update(&self.source.read(record.at + start, BLOCK.min(record.len - start))?);
            }
            hasher.finalize()
        };
        if found == expected { Ok(()) } else { wrong("is damaged: the checksum of its storage does not fit") }
    }
}

/// Whether the elements lie one after the other, the last index fastest.
fn is_contiguous(view: &TensorView) -> bool {
    let mut expected = 1u64;
    view.shape.iter().zip(&view.strides).rev().all(|(n, stride)| {
        let fits = *n == 1 || *stride == expected;
        expected = expected.saturating_mul(*n);
        fits
    })
}

/// Puts elements in order, from the bytes between the first and the last.
fn spread(stored: &[u8], view: &TensorView, bytes: usize) -> Vec<u8> {
    let size = view.dtype.size();
    let mut out = Vec::with_capacity(bytes);
    let mut index = vec![0; view.shape.len()];
    let mut at = 0usize;
    while out.len() < bytes {
        out.extend_from_slice(&stored[at..at + size]);
        // the stride of an axis of one element is never taken, and may be any number
        for axis in (0..index.len()).rev().filter(|axis| view.shape[*axis] > 1) {
            let (n, step) = (view.shape[axis], view.strides[axis] as usize * size);
            index[axis] += 1;
            if index[axis] < n {
                at += step;
                break;
            }
            index[axis] = 0;
            at -= step * (n as usize - 1);
        }
    }
    out
}

fn extents(shape: &[u64]) -> Outcome<Vec<usize>> {
    match shape.iter().map(|n| usize::try_from(*n).ok()).collect() {
        Some(shape) => Ok(shape),
        None => wrong(format!("has shape {shape:?}, beyond all memory")),
    }
}
