use crate::{PatchError, WeightRef};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorInfo};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// How a tensor's numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of 32 bits.
    Bf16,
}

impl Precision {
    /// The number that the file would hold.
    pub fn round(self, v: f32) -> f32 {
        match self {
            Self::F32 => v,
            Self::F16 => f16::from_f32(v).to_f32(),
            Self::Bf16 => bf16::from_f32(v).to_f32(),
        }
    }

    fn bytes(self) -> usize {
        if self == Self::F32 { 4 } else { 2 }
    }

    fn read(self, b: &[u8]) -> f32 {
        match self {
            Self::F32 => f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            Self::F16 => f16::from_le_bytes([b[0], b[1]]).to_f32(),
            Self::Bf16 => bf16::from_le_bytes([b[0], b[1]]).to_f32(),
        }
    }

    fn write(self, v: f32, b: &mut [u8]) {
        match self {
            Self::F32 => b.copy_from_slice(&v.to_le_bytes()),
            Self::F16 => b.copy_from_slice(&f16::from_f32(v).to_le_bytes()),
            Self::Bf16 => b.copy_from_slice(&bf16::from_f32(v).to_le_bytes()),
        }
    }
}

/// A safetensors file in memory, whose numbers are changed in place: everything else keeps its bytes.
#[derive(Clone, Debug)]
pub struct TensorFile {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Where the numbers begin.
    data: usize,
    tensors: Vec<(String, TensorInfo)>,
}

impl TensorFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is missing, or is no whole safetensors file.
    pub fn read(path: &Path) -> Result<Self, PatchError> {
        Self::of_bytes(path, fs::read(path).map_err(PatchError::io(path))?)
    }

    fn of_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, PatchError> {
        // the whole is checked here: offsets within the file, no holes, shapes that fit
        SafeTensors::deserialize(&bytes)
            .map_err(|e| PatchError::format(path, format!("it is no whole safetensors file: {e}")))?;
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| PatchError::format(path, e))?;
        let mut tensors = metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect::<Vec<_>>();
        // in the order of the file
        tensors.sort_by(|a, b| a.1.data_offsets.cmp(&b.1.data_offsets).then(a.0.cmp(&b.0)));
        Ok(Self { path: path.to_owned(), bytes, data: header + 8, tensors })
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of all bytes, in hexadecimal digits, as `sha256sum` prints it.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Names of the tensors, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(|(name, _)| name.as_str())
    }

    /// Shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.info(name).map(|info| &info.shape[..])
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.iter().find(|(n, _)| n == name).map(|(_, info)| info)
    }

    /// How a tensor is stored.
    ///
    /// # Errors
    /// When it is missing or holds no floats of 16 or 32 bits.
    pub fn precision(&self, name: &str) -> Result<Precision, PatchError> {
        let info =
            self.info(name).ok_or_else(|| PatchError::format(&self.path, format!("it has no tensor {name:?}")))?;
        match info.dtype {
            Dtype::F32 => Ok(Precision::F32),
            Dtype::F16 => Ok(Precision::F16),
            Dtype::BF16 => Ok(Precision::Bf16),
            other => Err(PatchError::format(&self.path, format!("tensor {name:?} has type {other:?}"))),
        }
    }

    /// All numbers of a tensor, in row order.
    ///
    /// # Errors
    /// As [`TensorFile::precision`].
    pub fn values(&self, name: &str) -> Result<Vec<f32>, PatchError> {
        let precision = self.precision(name)?;
        let (from, to) = self.info(name).map_or((0, 0), |info| info.data_offsets);
        let bytes = &self.bytes[self.data + from..self.data + to];
        Ok(bytes.chunks_exact(precision.bytes()).map(|b| precision.read(b)).collect())
    }

    fn place(&self, weight: &WeightRef) -> Result<(Precision, std::ops::Range<usize>), PatchError> {
        let none = || PatchError::NoWeight(weight.clone());
        let info = self.info(&weight.tensor).ok_or_else(none)?;
        let at = weight.offset(&info.shape).ok_or_else(none)?;
        let precision = self.precision(&weight.tensor)?;
        let start = self.data + info.data_offsets.0 + at * precision.bytes();
        Ok((precision, start..start + precision.bytes()))
    }

    /// One number.
    ///
    /// # Errors
    /// When the file has no such weight.
    pub fn get(&self, weight: &WeightRef) -> Result<f32, PatchError> {
        let (precision, at) = self.place(weight)?;
        Ok(precision.read(&self.bytes[at]))
    }

    /// Writes one number; it is rounded to what the tensor can hold.
    ///
    /// # Errors
    /// When the file has no such weight, or the number is not finite there.
    pub fn set(&mut self, weight: &WeightRef, value: f32) -> Result<(), PatchError> {
        let (precision, at) = self.place(weight)?;
        if !precision.round(value).is_finite() {
            return Err(PatchError::setting("value", value, format!("of {weight} is not finite in its file")));
        }
        precision.write(value, &mut self.bytes[at]);
        Ok(())
    }

    /// Writes the file in one piece: under a temporary name beside it, then renamed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PatchError> {
        write_whole(path, &self.bytes)
    }
}

/// Writes a file in one piece: under a temporary name beside it, then renamed.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), PatchError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let written = fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&temporary);
        PatchError::Io { path: path.to_owned(), source }
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use safetensors::tensor::TensorView;
    use std::collections::HashMap;

    /// A file with a half-precision `fc.weight` of 2 x 3, an f32 `fc.bias` of 2, and a counter.
    pub(crate) fn small(path: &Path) -> TensorFile {
        let half = [0.5f32, -1.0, 0.0, 2.0, 0.25, -0.125].iter().flat_map(|&v| f16::from_f32(v).to_le_bytes());
        let (half, bias) = (half.collect::<Vec<_>>(), [0.1f32, -0.2].map(f32::to_le_bytes).concat());
        let counter = 7i64.to_le_bytes();
        let tensors = [
            ("fc.weight", TensorView::new(Dtype::F16, vec![2, 3], &half).unwrap()),
            ("fc.bias", TensorView::new(Dtype::F32, vec![2], &bias).unwrap()),
            ("bn.num_batches_tracked", TensorView::new(Dtype::I64, vec![], &counter).unwrap()),
        ];
        let info = HashMap::from([("hybridrepair".to_owned(), "{}".to_owned())]);
        fs::write(path, safetensors::serialize(tensors, Some(info)).unwrap()).unwrap();
        TensorFile::read(path).unwrap()
    }

    #[test]
    fn numbers_are_read_and_written_as_they_are_stored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.safetensors");
        let mut file = small(&path);
        let whole = fs::read(&path).unwrap();
        let w = WeightRef::new("fc.weight", &[1, 1]);
        assert_eq!((file.get(&w).unwrap(), file.values("fc.bias").unwrap()), (0.25, vec![0.1, -0.2]));
        file.set(&w, 0.1).unwrap();
        assert_eq!(file.get(&w).unwrap(), Precision::F16.round(0.1));
        assert_ne!(file.get(&w).unwrap(), 0.1);
        assert!(file.set(&w, 1e6).is_err(), "infinite in half precision");
        file.set(&w, 0.25).unwrap();
        file.write(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        for bad in [WeightRef::new("fc.weight", &[2, 0]), WeightRef::new("fc.weight", &[0]), WeightRef::new("x", &[0])]
        {
            assert!(matches!(file.get(&bad), Err(PatchError::NoWeight(_))));
        }
        assert!(file.get(&WeightRef::new("bn.num_batches_tracked", &[])).is_err());
        for cut in [0, 5, 40, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(TensorFile::read(&path).is_err(), "cut at {cut}");
        }
    }
}
