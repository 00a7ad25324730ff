//! State dicts as `torch.save` writes them.

use crate::{Dtype, NamedTensor, PytorchFileError, zip::ZipWriter};
use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

/// What happens to a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfExists {
    /// It stays, and the answer is [`PytorchFileError::Exists`].
    Refuse,
    /// It is replaced.
    Replace,
}

/// Name of the folder in the archive.
const FOLDER: &str = "archive";

/// Writes a file that `torch.load(path, weights_only=True)` reads as an `OrderedDict` of tensors, in this order.
///
/// The file is written beside its name and then renamed, so that nobody sees half of it. Equal tensors give equal files.
///
/// # Errors
/// When a name stands twice, a tensor's bytes do not fit its shape, the file exists (unless it may be replaced) or cannot
/// be written.
pub fn write_state_dict(
    path: impl AsRef<Path>,
    tensors: &[NamedTensor],
    if_exists: IfExists,
) -> Result<(), PytorchFileError> {
    let path = path.as_ref();
    let mut names = HashSet::new();
    for tensor in tensors {
        tensor.check()?;
        if !names.insert(&tensor.name) || u32::try_from(tensor.name.len()).is_err() {
            let why = "stands twice in the state dict, or has too long a name".to_owned();
            return Err(PytorchFileError::Given { name: tensor.name.clone(), why });
        }
    }
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => PytorchFileError::Exists { path: path.to_owned() },
        _ => PytorchFileError::Io { path: path.to_owned(), source },
    };
    // said now rather than after gigabytes were written; what counts is the rename below
    if if_exists == IfExists::Refuse && path.symlink_metadata().is_ok() {
        return Err(PytorchFileError::Exists { path: path.to_owned() });
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".tmp");
    // temporary files are made for their owner alone; a result is for whomever the umask lets in
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut out = BufWriter::new(builder.tempfile_in(folder).map_err(failed)?);
    archive(&mut out, tensors).map_err(failed)?;
    let file = out.into_inner().map_err(|e| failed(e.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    let renamed = match if_exists {
        IfExists::Refuse => file.persist_noclobber(path),
        IfExists::Replace => file.persist(path),
    };
    renamed.map_err(|e| failed(e.error))?;
    // makes the rename last; some file systems refuse to open or sync folders: then it is up to them
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// The whole archive.
fn archive(out: impl Write, tensors: &[NamedTensor]) -> io::Result<()> {
    let mut zip = ZipWriter::new(out);
    zip.add(&format!("{FOLDER}/data.pkl"), &pickle(tensors))?;
    zip.add(&format!("{FOLDER}/.format_version"), b"1")?;
    zip.add(&format!("{FOLDER}/.storage_alignment"), b"64")?;
    zip.add(&format!("{FOLDER}/byteorder"), b"little")?;
    for (key, tensor) in tensors.iter().enumerate() {
        zip.add(&format!("{FOLDER}/data/{key}"), &tensor.data)?;
    }
    zip.add(&format!("{FOLDER}/version"), b"3\n")?;
    zip.finish()?.flush()
}

/// An `OrderedDict` of tensors, each with a storage of its own, in protocol 2 as `torch.save` uses it.
fn pickle(tensors: &[NamedTensor]) -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\n)R(".to_vec();
    for (key, tensor) in tensors.iter().enumerate() {
        text(&mut out, &tensor.name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(format!("ctorch\n{}\n", tensor.dtype.storage()).as_bytes());
        text(&mut out, &key.to_string());
        text(&mut out, "cpu");
        number(&mut out, elements(tensor.dtype, &tensor.data));
        // the storage, from its first element
        out.extend(b"tQK\x00");
        numbers(&mut out, &tensor.shape);
        numbers(&mut out, &strides(&tensor.shape));
        // no gradient, no hooks
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"u.");
    out
}

fn elements(dtype: Dtype, data: &[u8]) -> usize {
    data.len() / dtype.size()
}

/// Of a contiguous tensor. An extent of 0 counts as 1, as in `PyTorch`.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1);
    }
    strides
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn number(out: &mut Vec<u8>, number: usize) {
    if let Ok(byte) = u8::try_from(number) {
        out.extend([b'K', byte]);
    } else if let Ok(small) = i32::try_from(number) {
        out.push(b'J');
        out.extend(small.to_le_bytes());
    } else {
        // the ninth byte keeps the sign positive
        out.extend([0x8a, 9]);
        out.extend((number as u64).to_le_bytes());
        out.push(0);
    }
}

fn numbers(out: &mut Vec<u8>, numbers: &[usize]) {
    out.push(b'(');
    for n in numbers {
        number(out, *n);
    }
    out.push(b't');
}
