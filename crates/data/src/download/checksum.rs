use super::DownloadError;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

/// The published checksum of a file, in lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum<'a> {
    /// SHA-256: 64 digits.
    Sha256(&'a str),
    /// MD5: 32 digits. Where nothing better is published; it finds damage, not forgery.
    Md5(&'a str),
}

impl<'a> Checksum<'a> {
    /// Its name: `sha256` or `md5`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Md5(_) => "md5",
        }
    }

    /// Its digits.
    pub fn digits(&self) -> &'a str {
        match *self {
            Self::Sha256(digits) | Self::Md5(digits) => digits,
        }
    }

    /// A running sum of this kind, over nothing yet.
    pub(super) fn begin(&self) -> Running {
        match self {
            Self::Sha256(_) => Running::Sha256(Sha256::new()),
            Self::Md5(_) => Running::Md5(Md5::new()),
        }
    }

    /// The digits that the file at `path` has.
    pub(super) fn of(&self, path: &Path) -> Result<String, DownloadError> {
        let mut file = std::fs::File::open(path).map_err(DownloadError::io(path))?;
        let mut sum = self.begin();
        sum.read(&mut file).map_err(DownloadError::io(path))?;
        Ok(sum.digits())
    }
}

/// A checksum over the bytes so far.
#[derive(Clone)]
pub(super) enum Running {
    Sha256(Sha256),
    Md5(Md5),
}

impl Running {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sum) => sum.update(bytes),
            Self::Md5(sum) => sum.update(bytes),
        }
    }

    /// Takes in all that `from` still has; returns how much that was.
    pub(super) fn read(&mut self, from: &mut impl Read) -> std::io::Result<u64> {
        let mut buffer = vec![0; 1 << 18];
        let mut total = 0;
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(n) => {
                    self.update(&buffer[..n]);
                    total += n as u64;
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The digits; the sum itself can go on.
    pub(super) fn digits(&self) -> String {
        fn hex(bytes: &[u8]) -> String {
            bytes.iter().fold(String::new(), |mut text, b| {
                let _ = write!(text, "{b:02x}");
                text
            })
        }
        match self {
            Self::Sha256(sum) => hex(&sum.clone().finalize()),
            Self::Md5(sum) => hex(&sum.clone().finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_those_of_the_standards() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-4 and RFC 1321, appendix A.5
        let sha = Checksum::Sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sha.of(&path).unwrap(), sha.digits());
        let md5 = Checksum::Md5("900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(md5.of(&path).unwrap(), md5.digits());
        assert_eq!((sha.kind(), md5.kind()), ("sha256", "md5"));
    }

    #[test]
    fn a_sum_goes_on_after_its_digits_were_read() {
        let mut sum = Checksum::Sha256("").begin();
        sum.update(b"a");
        let _ = sum.digits();
        assert_eq!(sum.read(&mut &b"bc"[..]).unwrap(), 2);
        assert!(sum.digits().starts_with("ba7816bf"));
    }
}
