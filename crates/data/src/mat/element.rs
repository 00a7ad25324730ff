use std::io::{self, Read};

/// Type number of an array.
pub(super) const MATRIX: u32 = 14;
/// Type number of a compressed element.
pub(super) const COMPRESSED: u32 = 15;

/// The beginning of an element: its type number, and where its data are.
pub(super) struct Tag {
    pub(super) kind: u32,
    /// Bytes of data.
    pub(super) size: u64,
    /// The data themselves, of an element so small that they lie in the tag.
    small: Option<[u8; 4]>,
}

/// Reads a tag; `None` at the end of the input.
pub(super) fn tag(input: &mut impl Read) -> io::Result<Option<Tag>> {
    let mut bytes = Vec::with_capacity(8);
    input.by_ref().take(8).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let &[a, b, c, d, ref rest @ ..] = bytes.as_slice() else { return Err(damaged("an element's tag is cut short")) };
    let rest = <[u8; 4]>::try_from(rest).map_err(|_| damaged("an element's tag is cut short"))?;
    let (low, high) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
    if high == 0 {
        return Ok(Some(Tag { kind: u32::from(low), size: u64::from(u32::from_le_bytes(rest)), small: None }));
    }
    if high > 4 {
        return Err(damaged(&format!("an element of type {low} claims {high} bytes within its tag, at most 4 fit")));
    }
    Ok(Some(Tag { kind: u32::from(low), size: u64::from(high), small: Some(rest) }))
}

impl Tag {
    /// Reads the data of this element, at most so many bytes, and those that fill them up to a multiple of 8.
    pub(super) fn data(&self, input: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
        if let Some(small) = self.small {
            return Ok(small[..self.size as usize].to_vec());
        }
        if self.size > most {
            let why = format!("an element of type {} claims {} bytes, at most {most} are read", self.kind, self.size);
            return Err(damaged(&why));
        }
        // grows as far as there are data
        let mut data = Vec::new();
        input.by_ref().take(self.size).read_to_end(&mut data)?;
        if data.len() as u64 != self.size {
            let why =
                format!("an element of type {} has {} of the {} bytes of its tag", self.kind, data.len(), self.size);
            return Err(damaged(&why));
        }
        // the last element of a file may lack its filling
        skip(input, self.size.next_multiple_of(8) - self.size)?;
        Ok(data)
    }

    /// Steps over the data, however much of them there is.
    pub(super) fn skip(&self, input: &mut impl Read) -> io::Result<()> {
        match self.small {
            Some(_) => Ok(()),
            // compressed elements are not filled up
            None if self.kind == COMPRESSED => skip(input, self.size),
            None => skip(input, self.size.next_multiple_of(8)),
        }
    }
}

fn skip(input: &mut impl Read, bytes: u64) -> io::Result<()> {
    io::copy(&mut input.by_ref().take(bytes), &mut io::sink()).map(drop)
}

/// Damage found while reading; told apart from a failing disk by its kind.
pub(super) fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
