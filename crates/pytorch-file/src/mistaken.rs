use std::fmt;

/// Files that are taken for a `torch.save` file by mistake. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistaken {
    /// Nothing in it.
    Empty,
    /// A scripted or traced module.
    TorchScript,
    /// A safetensors file.
    Safetensors,
    /// The small text that stands for a large file in a Git repository.
    LfsPointer,
    /// A web page, mostly an error page saved under the file's name.
    WebPage,
    /// The tar archives of `PyTorch` before 0.1.10, or any other tar archive.
    Tar,
    /// A zip archive that `torch.save` did not write.
    OtherZip {
        /// Its first entry.
        first: String,
    },
    /// A pickle that `torch.save` did not write.
    PlainPickle,
    /// An HDF5 file, as Keras writes.
    Hdf5,
    /// A gzip file.
    Gzip,
    /// None of these.
    Unknown {
        /// Its first bytes.
        head: Vec<u8>,
    },
}

impl fmt::Display for Mistaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the file is empty"),
            Self::TorchScript => f.write_str("this is a TorchScript module: pass it with --torchscript"),
            Self::Safetensors => {
                f.write_str("this is a safetensors file: pass it under a name that ends with .safetensors")
            }
            Self::LfsPointer => {
                f.write_str("this is a Git LFS pointer: fetch the real file (git lfs pull, or download it)")
            }
            Self::WebPage => f.write_str("this is a web page, not a checkpoint: download the file itself"),
            Self::Tar => f.write_str(
                "this is a tar archive (as PyTorch before 0.1.10 wrote): unpack it, or load it there and save it again",
            ),
            Self::OtherZip { first } => {
                write!(f, "this is a zip archive, but not one of torch.save: no data.pkl, its first entry is {first:?}")
            }
            Self::PlainPickle => {
                f.write_str("this is a pickle, but torch.save did not write it: save it with torch.save")
            }
            Self::Hdf5 => f.write_str("this is an HDF5 file (Keras?), not a PyTorch checkpoint"),
            Self::Gzip => f.write_str("this is a gzip file: unpack it first"),
            Self::Unknown { head } => {
                write!(f, "torch.save did not write this file: it begins with \"{}\"", head.escape_ascii())
            }
        }
    }
}

/// Bytes that [`recognise`] wants from the beginning of a file.
pub(crate) const HEAD: u64 = 512;

/// What a file is that begins with neither a zip archive nor a pickle of `torch.save`.
pub(crate) fn recognise(head: &[u8], len: u64) -> Mistaken {
    let text =
        String::from_utf8_lossy(head).trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).to_ascii_lowercase();
    if head.is_empty() {
        Mistaken::Empty
    } else if is_safetensors(head, len) {
        Mistaken::Safetensors
    } else if text.starts_with("version https://git-lfs") {
        Mistaken::LfsPointer
    } else if ["<!doctype", "<html", "<?xml", "<head", "<error"].iter().any(|start| text.starts_with(start)) {
        Mistaken::WebPage
    } else if head.get(257..262) == Some(b"ustar") {
        Mistaken::Tar
    } else if head.starts_with(b"\x89HDF\r\n") {
        Mistaken::Hdf5
    } else if head.starts_with(&[0x1f, 0x8b]) {
        Mistaken::Gzip
    } else {
        Mistaken::Unknown { head: head[..head.len().min(16)].to_vec() }
    }
}

/// The length of a JSON header, and its first byte.
fn is_safetensors(head: &[u8], len: u64) -> bool {
    let header = head.first_chunk::<8>().map(|b| u64::from_le_bytes(*b));
    header.is_some_and(|n| n >= 2 && n <= len.saturating_sub(8)) && head.get(8) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_pass_by_mistake_is_named() {
        let safetensors = b"\x10\0\0\0\0\0\0\0{\"a\":{}}        ";
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (head, kind) in [
            (&b""[..], Mistaken::Empty),
            (safetensors, Mistaken::Safetensors),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", Mistaken::LfsPointer),
            (b"\xef\xbb\xbf\n <!DOCTYPE html><html>", Mistaken::WebPage),
            (b"<?xml version='1.0'?><Error><Code>AccessDenied", Mistaken::WebPage),
            (&tar, Mistaken::Tar),
            (b"\x89HDF\r\n\x1a\n", Mistaken::Hdf5),
            (b"\x1f\x8b\x08", Mistaken::Gzip),
        ] {
            assert_eq!(recognise(head, head.len() as u64), kind);
        }
        assert_eq!(recognise(b"hello\xff", 6).to_string().split('"').nth(1), Some("hello\\xff"));
    }
}
