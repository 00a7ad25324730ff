use super::element::{COMPRESSED, MATRIX, damaged, tag};
use super::variable::{Variable, variable};
use crate::DataError;
use crate::bytes::format_error;
use flate2::bufread::ZlibDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of text, version and byte order before the first element.
const HEADER: usize = 128;

/// Reads the wanted arrays of a file, in the order in which they were asked for.
///
/// # Errors
/// When the file cannot be read, is of another format or byte order, is damaged or cut short, or an array is missing,
/// stands there twice or is not numeric.
pub(crate) fn read(path: &Path, wanted: &[&str]) -> Result<Vec<Variable>, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let found =
        variables(&mut BufReader::with_capacity(1 << 16, file), wanted).map_err(|error| match error.kind() {
            // damage found here or by the decompressor
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
                format_error(path, format!("damaged or no MATLAB file of level 5: {error}"))
            }
            _ => DataError::io(path)(error),
        })?;
    let mut all: Vec<Option<Variable>> = found.into_iter().map(Some).collect();
    let mut one = |name: &&str| {
        let mut same = all.iter_mut().filter(|v| v.as_ref().is_some_and(|v| v.name == *name));
        let first = same.next().and_then(Option::take);
        let why = if same.next().is_some() { "stands there twice" } else { "is not there" };
        first.filter(|_| why == "is not there").ok_or_else(|| format_error(path, format!("array {name:?} {why}")))
    };
    wanted.iter().map(&mut one).collect()
}

fn variables(file: &mut impl BufRead, wanted: &[&str]) -> io::Result<Vec<Variable>> {
    header(file)?;
    let mut found = Vec::new();
    while let Some(tag) = tag(file)? {
        match tag.kind {
            MATRIX => {
                let mut inside = file.by_ref().take(tag.size.next_multiple_of(8));
                found.extend(variable(&mut inside, wanted)?);
                io::copy(&mut inside, &mut io::sink())?;
            }
            COMPRESSED => found.extend(compressed(&mut file.by_ref().take(tag.size), wanted)?),
            _ => tag.skip(file)?,
        }
    }
    Ok(found)
}

/// The array of a compressed element.
fn compressed(packed: &mut io::Take<impl BufRead>, wanted: &[&str]) -> io::Result<Option<Variable>> {
    let mut unpacked = ZlibDecoder::new(&mut *packed);
    let tag = tag(&mut unpacked)?.ok_or_else(|| damaged("a compressed element is empty"))?;
    let found = match tag.kind {
        MATRIX => variable(&mut unpacked, wanted)?,
        _ => None,
    };
    if found.is_some() {
        // to the checksum at the end
        io::copy(&mut unpacked, &mut io::sink())?;
    }
    io::copy(packed, &mut io::sink())?;
    Ok(found)
}

fn header(file: &mut impl Read) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(HEADER);
    file.by_ref().take(HEADER as u64).read_to_end(&mut bytes)?;
    if bytes.starts_with(b"MATLAB 7.3") || bytes.starts_with(b"\x89HDF") {
        return Err(damaged("it is of version 7.3 (HDF5); save it with -v7"));
    }
    match bytes.get(124..HEADER) {
        Some([0x00, 0x01, b'I', b'M']) => Ok(()),
        Some([_, _, b'M', b'I']) => Err(damaged("it is big-endian; save it on a little-endian machine")),
        Some(_) => Err(damaged("its header has another version or byte order")),
        None => Err(damaged(&format!("it has {} bytes, its header alone {HEADER}", bytes.len()))),
    }
}
