//! Archives as `torch.save` writes them: stored, the bytes of each entry on a multiple of 64.

use super::{CENTRAL, END, END64, EXTRA64, LOCAL, LOCATOR64};
use std::io::{self, Write};

/// Entries begin on multiples of this, so that readers can map them.
const ALIGNMENT: u64 = 64;

/// 1980-01-01, the first day that the format knows: equal content gives equal files.
const DATE: u16 = 0x21;

/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;

/// Writes an archive from its beginning to its end.
pub(crate) struct ZipWriter<W> {
    out: W,
    at: u64,
    directory: Vec<u8>,
    count: u64,
    /// Numbers from here on are written as zip64 does.
    pub(super) limit: u64,
}

impl<W: Write> ZipWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, at: 0, directory: Vec::new(), count: 0, limit: u64::from(u32::MAX) }
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, name: &str, data: &[u8]) -> io::Result<()> {
        let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "a name in the archive is too long");
        let name_len = u16::try_from(name.len()).map_err(|_| too_long())?;
        let (size, header, crc) = (data.len() as u64, self.at, crc32fast::hash(data));
        let wide = size >= self.limit;
        let (size32, version) = if wide { (u32::MAX, 45) } else { (size as u32, 20) };

        let mut local = Vec::with_capacity(30 + name.len() + 20 + ALIGNMENT as usize);
        local.extend(LOCAL.to_le_bytes());
        common(&mut local, version, crc, size32, name_len);
        let sizes = if wide { extra64(&[size, size]) } else { Vec::new() };
        let unpadded = self.at + 30 + name.len() as u64 + sizes.len() as u64 + 4;
        let padding = (ALIGNMENT - unpadded % ALIGNMENT) % ALIGNMENT;
        local.extend((sizes.len() as u16 + 4 + padding as u16).to_le_bytes());
        local.extend(name.as_bytes());
        local.extend(sizes);
        // an extra field that says nothing, as torch.save has it
        local.extend(b"FB");
        local.extend((padding as u16).to_le_bytes());
        local.resize(local.len() + padding as usize, b'Z');
        self.out.write_all(&local)?;
        self.out.write_all(data)?;
        self.at += local.len() as u64 + size;

        let far = header >= self.limit;
        let mut numbers = if wide { vec![size, size] } else { vec![] };
        numbers.extend(far.then_some(header));
        let extra = if numbers.is_empty() { Vec::new() } else { extra64(&numbers) };
        let directory = &mut self.directory;
        directory.extend(CENTRAL.to_le_bytes());
        let version = if wide || far { 45 } else { version };
        directory.extend(version.to_le_bytes());
        common(directory, version, crc, size32, name_len);
        directory.extend((extra.len() as u16).to_le_bytes());
        // no comment, disk 0, no attributes
        directory.extend([0; 10]);
        directory.extend((if far { u32::MAX } else { header as u32 }).to_le_bytes());
        directory.extend(name.as_bytes());
        directory.extend(extra);
        self.count += 1;
        Ok(())
    }

    /// Writes the directory and gives the output back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let (start, size) = (self.at, self.directory.len() as u64);
        let mut end = std::mem::take(&mut self.directory);
        let wide = start >= self.limit || size >= self.limit || self.count >= u64::from(u16::MAX).min(self.limit);
        if wide {
            end.extend(END64.to_le_bytes());
            end.extend(44u64.to_le_bytes());
            end.extend([45, 0, 45, 0]);
            end.extend([0; 8]);
            for number in [self.count, self.count, size, start] {
                end.extend(number.to_le_bytes());
            }
            end.extend(LOCATOR64.to_le_bytes());
            end.extend(0u32.to_le_bytes());
            end.extend((start + size).to_le_bytes());
            end.extend(1u32.to_le_bytes());
        }
        end.extend(END.to_le_bytes());
        end.extend([0; 4]);
        let count = if wide { u16::MAX } else { self.count as u16 };
        end.extend(count.to_le_bytes());
        end.extend(count.to_le_bytes());
        end.extend((if wide { u32::MAX } else { size as u32 }).to_le_bytes());
        end.extend((if wide { u32::MAX } else { start as u32 }).to_le_bytes());
        end.extend([0; 2]);
        self.out.write_all(&end)?;
        Ok(self.out)
    }
}

/// What the two headers of an entry share: version to length of the name.
fn common(out: &mut Vec<u8>, version: u16, crc: u32, size: u32, name_len: u16) {
    for number in [version, FLAGS, 0, 0, DATE] {
        out.extend(number.to_le_bytes());
    }
    for number in [crc, size, size] {
        out.extend(number.to_le_bytes());
    }
    out.extend(name_len.to_le_bytes());
}

/// The extra field of zip64.
fn extra64(numbers: &[u64]) -> Vec<u8> {
    let mut out = EXTRA64.to_le_bytes().to_vec();
    out.extend((numbers.len() as u16 * 8).to_le_bytes());
    out.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
    out
}
