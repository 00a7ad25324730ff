use crate::KernelError;
use crate::npy::Header;
use hybridrepair_core::{Embeddings, SharedRows};
use memmap2::Mmap;
use std::{fs::File, path::Path, sync::Arc};

/// Numbers of an `.npy` file in memory that the system pages in when they are read.
struct Mapped {
    map: Mmap,
    offset: usize,
    len: usize,
}

impl AsRef<[f32]> for Mapped {
    fn as_ref(&self) -> &[f32] {
        let bytes = &self.map[self.offset..self.offset + self.len * 4];
        // SAFETY: any four bytes are an f32; `map_npy` refused a start that is not aligned
        let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
        debug_assert!(before.is_empty() && after.is_empty());
        numbers
    }
}

/// Maps an `.npy` file of `f32` in C order with two dimensions, read-only: the rows and their shape `(n, d)`.
///
/// The file must not be changed or cut while it is mapped: the numbers would change, or the process be ended by the
/// system.
///
/// # Errors
/// When the file cannot be opened, or is not such an array: truncated, another type, Fortran order, big-endian, not two
/// dimensions, or a size that does not match. On big-endian machines every file is refused.
pub fn map_npy(path: &Path) -> Result<(SharedRows, usize, usize), KernelError> {
    let name = || path.display().to_string();
    let io = |source| KernelError::Io { path: name(), source };
    let wrong = |why: String| KernelError::Npy { path: name(), why };
    if cfg!(target_endian = "big") {
        return Err(wrong("is little-endian, this machine is not".into()));
    }
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.len() == 0 {
        return Err(wrong("is empty".into()));
    }
    // SAFETY: the mapping is read-only; that nobody else may cut the file is said above
    let map = unsafe { Mmap::map(&file) }.map_err(io)?;
    let header = Header::of(&map).map_err(wrong)?;
    if !header.offset.is_multiple_of(4) {
        return Err(wrong(format!("has numbers at byte {}, not on a multiple of 4", header.offset)));
    }
    let len = header.rows * header.cols;
    Ok((Arc::new(Mapped { map, offset: header.offset, len }), header.rows, header.cols))
}

/// Embeddings that stay in their `.npy` file ([`map_npy`]).
///
/// # Errors
/// As [`map_npy`], and when the array is empty or holds NaN or infinity.
pub fn map_embeddings(path: &Path) -> Result<Embeddings, KernelError> {
    let (rows, n, d) = map_npy(path)?;
    Ok(Embeddings::from_shared(rows, n, d)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_file_is_read_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.npy");
        ndarray_npy::write_npy(&path, &array![[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.5]]).unwrap();
        let x = map_embeddings(&path).unwrap();
        assert_eq!((x.len(), x.dim(), x.row(2)), (3, 2, &[5.0f32, 6.5][..]));
        ndarray_npy::write_npy(&path, &array![[1.0f32, f32::NAN]]).unwrap();
        assert!(matches!(map_embeddings(&path), Err(KernelError::Core(_))));
        ndarray_npy::write_npy(&path, &array![[1.0f64]]).unwrap();
        assert!(map_embeddings(&path).unwrap_err().to_string().contains("<f8"));
        std::fs::write(&path, b"").unwrap();
        assert!(map_embeddings(&path).unwrap_err().to_string().contains("empty"));
        assert!(matches!(map_npy(&dir.path().join("none")), Err(KernelError::Io { .. })));
        assert!(map_npy(dir.path()).is_err());
    }
}
