use crate::error::{Outcome, wrong};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
    sync::{Mutex, PoisonError},
};

/// The bytes of a checkpoint, read when they are needed.
///
/// A file is read rather than mapped: a mapped file that somebody cuts short ends the process.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file and its length when it was opened.
    File(Mutex<File>, u64),
    /// Bytes in memory.
    Bytes(Vec<u8>),
}

impl Source {
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return wrong(if about.is_dir() { "is a folder" } else { "is no regular file" });
        }
        Ok(Self::File(Mutex::new(file), about.len()))
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::File(_, len) => *len,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// The bytes from `at`; refused before anything is allocated when there are fewer.
    pub(crate) fn read(&self, at: u64, len: u64) -> Outcome<Vec<u8>> {
        let end = at.checked_add(len).filter(|end| *end <= self.len());
        let (Some(end), Ok(size)) = (end, usize::try_from(len)) else {
            return wrong(format!(
                "is cut short or damaged: bytes {at} to {} of {} are needed",
                at.saturating_add(len),
                self.len()
            ));
        };
        match self {
            Self::File(file, _) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(at))?;
                let mut out = vec![0; size];
                file.read_exact(&mut out)?;
                Ok(out)
            }
            Self::Bytes(bytes) => Ok(bytes[at as usize..end as usize].to_vec()),
        }
    }

    /// Up to `len` bytes from the beginning.
    pub(crate) fn head(&self, len: u64) -> Outcome<Vec<u8>> {
        self.read(0, len.min(self.len()))
    }
}

/// Bytes read ahead at a time.
const AHEAD: u64 = 1 << 16;

/// A part of a source, read from its beginning to its end.
pub(crate) struct Stream<'a> {
    source: &'a Source,
    buffer: Vec<u8>,
    /// Next byte of the buffer.
    at: usize,
    /// Where in the source the buffer ends.
    next: u64,
    end: u64,
}

impl<'a> Stream<'a> {
    /// The bytes `start..end`.
    pub(crate) fn new(source: &'a Source, start: u64, end: u64) -> Self {
        Self { source, buffer: Vec::new(), at: 0, next: start, end }
    }

    /// Where in the source the next byte stands.
    pub(crate) fn position(&self) -> u64 {
        self.next - (self.buffer.len() - self.at) as u64
    }

    /// What it is a part of.
    pub(crate) fn source(&self) -> &'a Source {
        self.source
    }

    /// Bytes that are left.
    pub(crate) fn remaining(&self) -> u64 {
        self.end.saturating_sub(self.position())
    }

    pub(crate) fn byte(&mut self) -> Outcome<u8> {
        if self.at == self.buffer.len() {
            self.fill(1)?;
        }
        let byte = self.buffer[self.at];
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        let mut out = [0; N];
        if self.buffer.len() - self.at < N {
            self.fill(N as u64)?;
        }
        out.copy_from_slice(&self.buffer[self.at..self.at + N]);
        self.at += N;
        Ok(out)
    }

    /// So many bytes; refused before anything is allocated when fewer are left.
    pub(crate) fn take(&mut self, len: u64) -> Outcome<Vec<u8>> {
        self.check(len)?;
        let len = len as usize;
        let buffered = &self.buffer[self.at..];
        if len <= buffered.len() {
            let out = buffered[..len].to_vec();
            self.at += len;
            return Ok(out);
        }
        let position = self.position();
        let out = self.source.read(position, len as u64)?;
        (self.buffer, self.at, self.next) = (Vec::new(), 0, position + len as u64);
        Ok(out)
    }

    /// The bytes before the next newline, which is read too; at most `longest`.
    pub(crate) fn line(&mut self, longest: usize) -> Outcome<Vec<u8>> {
        let mut out = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(out),
                _ if out.len() == longest => return wrong(format!("has a name of more than {longest} bytes")),
                byte => out.push(byte),
            }
        }
    }

    /// Refuses more bytes than are left.
    pub(crate) fn check(&self, len: u64) -> Outcome<()> {
        let left = self.remaining();
        if len > left {
            return wrong(format!("is cut short or damaged: {len} bytes are needed where {left} are left"));
        }
        Ok(())
    }

    /// Has at least `needed` bytes in the buffer.
    fn fill(&mut self, needed: u64) -> Outcome<()> {
        self.check(needed)?;
        let position = self.position();
        let len = AHEAD.min(self.remaining());
        self.buffer = self.source.read(position, len)?;
        (self.at, self.next) = (0, position + len);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_gives_every_byte_once() {
        let bytes: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        let source = Source::Bytes(bytes.clone());
        let mut stream = Stream::new(&source, 10, 199_990);
        let mut out = Vec::new();
        for n in [1, 5, 70_000, 3, 60_000].iter().cycle() {
            if stream.remaining() < *n {
                break;
            }
            assert_eq!(stream.position(), 10 + out.len() as u64);
            out.extend(stream.take(*n).unwrap());
            if stream.remaining() > 9 {
                out.push(stream.byte().unwrap());
                out.extend(stream.array::<8>().unwrap());
            }
        }
        let left = stream.remaining();
        assert!(stream.take(left + 1).is_err());
        out.extend(stream.take(left).unwrap());
        assert!(stream.byte().is_err());
        assert_eq!(out, &bytes[10..199_990]);
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let source = Source::Bytes(vec![0; 10]);
        assert!(source.read(5, 6).is_err());
        assert!(source.read(u64::MAX, 2).is_err());
        assert!(source.read(2, u64::MAX).is_err());
        assert_eq!(source.read(10, 0).unwrap().len(), 0);
        assert!(Stream::new(&Source::Bytes(b"abcdef".to_vec()), 0, 6).line(3).is_err());
    }
}
