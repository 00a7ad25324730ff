//! The idx format of MNIST: arrays of bytes, plain or packed with gzip.

use crate::DataError;
use crate::bytes::format_error;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// An array of bytes in C order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Idx {
    /// Extent of each dimension.
    pub(crate) dims: Vec<usize>,
    /// The bytes.
    pub(crate) data: Vec<u8>,
}

/// The type number of unsigned bytes.
const UBYTE: u8 = 8;
/// The most bytes of an array.
const LARGEST: u64 = 1 << 31;

/// Reads an array of `dimensions` dimensions. The first bytes decide whether the file is packed, not its name.
///
/// # Errors
/// When the file cannot be read, is no idx file of bytes with so many dimensions, or holds fewer or more bytes than its
/// header says.
pub(crate) fn read(path: &Path, dimensions: usize) -> Result<Idx, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    let packed = file.fill_buf().map_err(DataError::io(path))?.starts_with(&[0x1f, 0x8b]);
    if packed { array(path, MultiGzDecoder::new(file), dimensions) } else { array(path, file, dimensions) }
}

fn array(path: &Path, mut input: impl Read, dimensions: usize) -> Result<Idx, DataError> {
    let wrong = |why: String| format_error(path, why);
    let mut take = |bytes: u64| {
        let mut data = Vec::new();
        input.by_ref().take(bytes).read_to_end(&mut data).map(|_| data).map_err(|error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
                wrong(format!("damaged gzip file: {error}"))
            }
            _ => DataError::io(path)(error),
        })
    };
    let head = take(4 + 4 * dimensions as u64)?;
    let (numbers, _) = head.as_chunks::<4>();
    let dims: Vec<usize> = numbers.iter().skip(1).map(|b| u32::from_be_bytes(*b) as usize).collect();
    match head.as_slice() {
        [0, 0, UBYTE, d, ..] if usize::from(*d) == dimensions => {}
        [0, 0, UBYTE, d, ..] => return Err(wrong(format!("idx file of {d} dimensions, expected {dimensions}"))),
        [0, 0, kind, _, ..] => {
            return Err(wrong(format!("idx file of type {kind}, expected {UBYTE} (unsigned bytes)")));
        }
        _ => return Err(wrong("no idx file: it does not begin with 0, 0, type, dimensions".to_owned())),
    }
    if dims.len() != dimensions {
        return Err(wrong(format!("{} bytes, its header alone has {}", head.len(), 4 + 4 * dimensions)));
    }
    let size = dims.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64)).filter(|&n| n <= LARGEST);
    let size = size.ok_or_else(|| wrong(format!("its header claims {dims:?} bytes, more than are read here")))?;
    // one byte more, to see whether there is one
    let data = take(size + 1)?;
    if data.len() as u64 != size {
        let more = if data.len() as u64 > size { "more".to_owned() } else { data.len().to_string() };
        return Err(wrong(format!("{more} bytes after its header, which says {dims:?}: {size}")));
    }
    Ok(Idx { dims, data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    /// 2 x 1 x 3 bytes.
    const GOOD: [u8; 22] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 11, 12, 13, 14, 15];

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    fn read_bytes(bytes: &[u8], dimensions: usize) -> Result<Idx, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        read(&path, dimensions).map_err(|e| e.to_string())
    }

    #[test]
    fn plain_and_packed_files_are_read() {
        for bytes in [GOOD.to_vec(), packed(&GOOD)] {
            let idx = read_bytes(&bytes, 3).unwrap();
            assert_eq!((idx.dims, idx.data), (vec![2, 1, 3], (10..16).collect()));
        }
        // two members, as `cat a.gz b.gz` gives
        assert_eq!(read_bytes(&[packed(&GOOD[..9]), packed(&GOOD[9..])].concat(), 3).unwrap().dims, [2, 1, 3]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let says = |bytes: &[u8], text: &str| {
            let e = read_bytes(bytes, 3).unwrap_err();
            assert!(e.contains("/x: ") && e.contains(text), "{e}, not {text}");
        };
        for n in 0..GOOD.len() {
            let text = match n {
                0..4 => "no idx file",
                4..16 => "its header alone has 16",
                _ => "after its header, which says [2, 1, 3]: 6",
            };
            says(&GOOD[..n], text);
            says(&packed(&GOOD[..n]), text);
        }
        says(&[&GOOD[..], &[0]].concat(), "more bytes after its header");
        says(&packed(&[&GOOD[..], &[0]].concat()), "more bytes after its header");
        says(b"\x00\x00\x08\x01\x00\x00\x00\x02\x01\x02ab______", "idx file of 1 dimensions, expected 3");
        says(b"\x00\x00\x0d\x03____________", "idx file of type 13, expected 8");
        says(b"<html>Not found</html>", "no idx file");
        says(b"\x00\x00\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "more than are read here");
        says(b"\x00\x00\x08\x03\x00\x00\xff\xff\x00\x00\x00\x1c\x00\x00\x00\x1c", "0 bytes after its header");
        let gz = packed(&GOOD);
        for n in 2..gz.len() {
            assert!(read_bytes(&gz[..n], 3).is_err(), "{n}");
        }
        // the checksum
        let mut gz = gz;
        let at = gz.len() - 8;
        gz[at] ^= 1;
        says(&gz, "damaged gzip file");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_damaged_file_gives_an_error_or_an_array(at in 0usize..60, byte: u8, cut in 0usize..60, gz: bool) {
            let mut bytes = if gz { packed(&GOOD) } else { GOOD.to_vec() };
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read_bytes(&bytes, 3);
            bytes.truncate(cut);
            let _ = read_bytes(&bytes, 3);
        }
    }
}
