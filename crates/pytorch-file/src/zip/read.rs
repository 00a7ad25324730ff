//! The directory at the end of an archive.

use super::{CENTRAL, END, END64, EXTRA64, LOCAL, LOCATOR64};
use crate::{
    error::{Outcome, wrong},
    source::Source,
};

/// Bytes of the record at the end, without its comment.
const END_SIZE: u64 = 22;

/// A stored file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Where its local header stands.
    header: u64,
    /// Bytes.
    pub(crate) size: u64,
    /// Bytes in the archive.
    packed: u64,
    /// Checksum of its bytes; `torch.save` writes 0 when it is told to compute none.
    pub(crate) crc: u32,
    /// 0: stored as it is.
    method: u16,
    flags: u16,
}

/// Little-endian numbers out of a record whose length was checked.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Number of entries, and start and length of the directory.
struct Directory {
    count: u64,
    start: u64,
    size: u64,
}

fn directory(source: &Source) -> Outcome<Directory> {
    let tail = source.len().min(END_SIZE + u64::from(u16::MAX));
    let base = source.len() - tail;
    let bytes = source.read(base, tail)?;
    // the comment ends with the file; a mark inside a comment does not fit
    let found = (0..=bytes.len().saturating_sub(END_SIZE as usize)).rev().find(|&at| {
        bytes.len() >= at + END_SIZE as usize
            && u32_at(&bytes, at) == END
            && at + END_SIZE as usize + usize::from(u16_at(&bytes, at + 20)) == bytes.len()
    });
    let Some(at) = found else {
        return wrong(format!(
            "is a zip archive without its end: it was cut short at {} bytes, fetch it again",
            source.len()
        ));
    };
    let end = &bytes[at..];
    let plain = Directory {
        count: u64::from(u16_at(end, 10)),
        size: u64::from(u32_at(end, 12)),
        start: u64::from(u32_at(end, 16)),
    };
    let position = base + at as u64;
    if position < 20 {
        return Ok(plain);
    }
    let locator = source.read(position - 20, 20)?;
    if u32_at(&locator, 0) != LOCATOR64 {
        return Ok(plain);
    }
    let end64 = source.read(u64_at(&locator, 8), 56)?;
    if u32_at(&end64, 0) != END64 {
        return wrong("has a damaged zip64 directory");
    }
    Ok(Directory { count: u64_at(&end64, 32), size: u64_at(&end64, 40), start: u64_at(&end64, 48) })
}

/// All files of an archive, in the order of its directory.
pub(crate) fn entries(source: &Source) -> Outcome<Vec<Entry>> {
    let Directory { count, start, size } = directory(source)?;
    let bytes = source.read(start, size)?;
    // an entry takes at least 46 bytes: a count beyond that is found below, not allocated
    let mut out = Vec::with_capacity((count as usize).min(bytes.len() / 46));
    let mut rest = &bytes[..];
    for _ in 0..count {
        if rest.len() < 46 || u32_at(rest, 0) != CENTRAL {
            return wrong("has a damaged zip directory");
        }
        let (name, extra, comment) = (u16_at(rest, 28), u16_at(rest, 30), u16_at(rest, 32));
        let lengths = [name, extra, comment].map(usize::from);
        let whole = 46 + lengths.iter().sum::<usize>();
        if rest.len() < whole {
            return wrong("has a damaged zip directory");
        }
        let name_end = 46 + lengths[0];
        let mut entry = Entry {
            name: String::from_utf8_lossy(&rest[46..name_end]).into_owned(),
            header: u64::from(u32_at(rest, 42)),
            size: u64::from(u32_at(rest, 24)),
            packed: u64::from(u32_at(rest, 20)),
            crc: u32_at(rest, 16),
            method: u16_at(rest, 10),
            flags: u16_at(rest, 8),
        };
        widen(&mut entry, &rest[name_end..name_end + lengths[1]])?;
        out.push(entry);
        rest = &rest[whole..];
    }
    Ok(out)
}

/// Takes what does not fit into 32 bits from the extra field.
fn widen(entry: &mut Entry, mut extra: &[u8]) -> Outcome<()> {
    let wanted = |value: u64| value == u64::from(u32::MAX);
    if ![entry.size, entry.packed, entry.header].into_iter().any(wanted) {
        return Ok(());
    }
    while extra.len() >= 4 {
        let (id, len) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(mut field) = extra.get(4..4 + len) else { break };
        if id == EXTRA64 {
            for value in [&mut entry.size, &mut entry.packed, &mut entry.header] {
                if wanted(*value) {
                    if field.len() < 8 {
                        return wrong("has a damaged zip64 entry");
                    }
                    *value = u64_at(field, 0);
                    field = &field[8..];
                }
            }
            return Ok(());
        }
        extra = &extra[4 + len..];
    }
    // a size that is just 4 GB less a byte needs no extra field
    Ok(())
}

impl Entry {
    /// Where its bytes begin; checks that they lie in the file, whole and as they are.
    pub(crate) fn start(&self, source: &Source) -> Outcome<u64> {
        let name = &self.name;
        if self.method != 0 || self.flags & 1 != 0 || self.size != self.packed {
            return wrong(format!(
                "has a compressed or encrypted entry {name:?}, which torch.save does not write: unpack it and zip it \
                 again with zip -0"
            ));
        }
        let local = source.read(self.header, 30)?;
        if u32_at(&local, 0) != LOCAL {
            return wrong(format!("has a damaged entry {name:?}"));
        }
        // the read of the 30 bytes has shown that the sum does not overflow
        let start = self.header + 30 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
        if start.checked_add(self.size).is_none_or(|end| end > source.len()) {
            return wrong(format!("is cut short or damaged: entry {name:?} of {} bytes ends beyond it", self.size));
        }
        Ok(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::ZipWriter;

    fn archive(limit: u64) -> Vec<u8> {
        let mut zip = ZipWriter::new(Vec::new());
        zip.limit = limit;
        zip.add("a/one", b"first").unwrap();
        zip.add("a/two", &[7; 300]).unwrap();
        zip.add("a/none", b"").unwrap();
        zip.finish().unwrap()
    }

    #[test]
    fn entries_are_found_with_and_without_zip64() {
        for limit in [u64::from(u32::MAX), 100, 0] {
            let source = Source::Bytes(archive(limit));
            let found = entries(&source).unwrap();
            assert_eq!(found.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a/one", "a/two", "a/none"]);
            let bytes = |e: &Entry| source.read(e.start(&source).unwrap(), e.size).unwrap();
            assert_eq!(bytes(&found[0]), b"first");
            assert_eq!(bytes(&found[1]), [7; 300]);
            assert!(bytes(&found[2]).is_empty());
            assert!(found.iter().all(|e| e.start(&source).unwrap() % 64 == 0), "aligned as torch.save does");
            assert_eq!(found[0].crc, crc32fast::hash(b"first"));
        }
    }

    #[test]
    fn archives_cut_anywhere_are_refused() {
        for limit in [u64::from(u32::MAX), 0] {
            let whole = archive(limit);
            for cut in 0..whole.len() {
                assert!(entries(&Source::Bytes(whole[..cut].to_vec())).is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_comment_at_the_end_is_skipped() {
        let mut bytes = archive(u64::from(u32::MAX));
        let at = bytes.len() - 2;
        bytes[at] = 30;
        bytes.extend(b"PK\x05\x06 is no end, this comment is");
        bytes.truncate(at + 2 + 30);
        assert_eq!(entries(&Source::Bytes(bytes)).unwrap().len(), 3);
    }

    #[test]
    fn a_compressed_entry_is_refused_in_words() {
        let mut bytes = archive(u64::from(u32::MAX));
        let at = bytes.windows(4).position(|w| w == CENTRAL.to_le_bytes()).unwrap();
        bytes[at + 10] = 8;
        let source = Source::Bytes(bytes);
        let entry = &entries(&source).unwrap()[0];
        assert!(matches!(entry.start(&source), Err(crate::error::Fault::Format(why)) if why.contains("compressed")));
    }
}
