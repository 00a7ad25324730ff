//! Checkpoints as safetensors with what is needed to rebuild the model in their metadata.

use crate::{Arch, Model, ModelSpec, TorchError};
use hybridrepair_core::Streams;
use hybridrepair_data::Normalization;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};
use tch::{Device, Kind, Tensor};

/// What a checkpoint says about its model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointMeta {
    /// Architecture, width and classes.
    pub spec: ModelSpec,
    /// A name per class.
    pub class_names: Vec<String>,
    /// The test transform's channel statistics.
    pub normalization: Normalization,
    /// Height and width of the pictures.
    pub input: [usize; 2],
    /// The data set it was trained on.
    pub dataset: String,
    /// For a TorchScript model: the file that holds its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptFile>,
}

/// A TorchScript file that a checkpoint belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptFile {
    /// Where it was.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

impl ScriptFile {
    /// Names a file by its path and content.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, TorchError> {
        let io = |source| TorchError::Io { path: path.to_owned(), source };
        let whole = fs::canonicalize(path).map_err(io)?;
        let digest = Sha256::digest(fs::read(&whole).map_err(io)?);
        let sha256 = digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Self { path: whole, sha256 })
    }

    /// The file, or the module beside the checkpoint of the same name: all its weights come from the checkpoint.
    fn find(&self, checkpoint: &Path) -> Result<PathBuf, TorchError> {
        let beside = checkpoint.with_extension("pt");
        let at = self.path.display();
        let why = match Self::of(&self.path) {
            Ok(now) if now.sha256 == self.sha256 => return Ok(self.path.clone()),
            _ if beside.is_file() => return Ok(beside),
            Ok(_) => format!("it belongs to the TorchScript file {at}, which has changed since"),
            Err(_) => format!("it belongs to the TorchScript file {at}, which cannot be read"),
        };
        Err(unreadable(checkpoint, format!("{why}, and there is no {} beside it", beside.display())))
    }
}

/// Writes a model: all tensors under `PyTorch`'s names, f32 or (with `half`) f16, and its metadata.
///
/// The file is written beside its name and then renamed, so that a reader never sees half of it.
///
/// # Errors
/// When the file cannot be written.
pub fn save_checkpoint(path: &Path, model: &Model, meta: &CheckpointMeta, half: bool) -> Result<(), TorchError> {
    let kind = if half { Kind::Half } else { Kind::Float };
    let text = serde_json::to_string(meta).map_err(|e| unreadable(path, e))?;
    // one key only: a map of several is written in random order, and equal models would give unequal files
    let info = HashMap::from([("hybridrepair".to_owned(), text)]);
    save_tensors(path, &model.params().snapshot(), kind, Some(info))
}

/// Writes named tensors as safetensors, converted to `kind` (f32 or f16), atomically.
///
/// # Errors
/// When the file cannot be written.
#[expect(clippy::implicit_hasher, reason = "safetensors takes this map")]
pub fn save_tensors(
    path: &Path,
    tensors: &[(String, Tensor)],
    kind: Kind,
    info: Option<HashMap<String, String>>,
) -> Result<(), TorchError> {
    let dtype = if kind == Kind::Half { Dtype::F16 } else { Dtype::F32 };
    let bytes = tensors
        .iter()
        .map(|(_, t)| {
            let t = t.to_device(Device::Cpu).to_kind(kind).contiguous();
            let mut out = vec![0u8; t.numel() * if kind == Kind::Half { 2 } else { 4 }];
            t.copy_data_u8(&mut out, t.numel());
            out
        })
        .collect::<Vec<_>>();
    let views = tensors.iter().zip(&bytes).map(|((name, t), data)| {
        let shape = t.size().iter().map(|&s| s as usize).collect();
        TensorView::new(dtype, shape, data).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>, _>>().map_err(|e| unreadable(path, e))?;
    let data = safetensors::serialize(views, info).map_err(|e| unreadable(path, e))?;
    let io = |source| TorchError::Io { path: path.to_owned(), source };
    let temporary = path.with_extension("safetensors.tmp");
    let written = fs::File::create(&temporary)
        .and_then(|mut file| {
            use std::io::Write;
            file.write_all(&data)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|e| {
        let _ = fs::remove_file(&temporary);
        io(e)
    })
}

/// Reads the metadata of a checkpoint without building its model.
///
/// # Errors
/// When the file is missing, is no safetensors file, or has no metadata of ours.
pub fn peek_checkpoint(path: &Path) -> Result<CheckpointMeta, TorchError> {
    meta_of(path, &read(path)?)
}

/// Builds the model of a checkpoint on a device.
///
/// # Errors
/// As [`peek_checkpoint`], and when tensors are missing, unknown, of another shape or not finite.
pub fn load_checkpoint(path: &Path, device: Device) -> Result<(Model, CheckpointMeta), TorchError> {
    let data = read(path)?;
    let meta = meta_of(path, &data)?;
    let model = match &meta.script {
        Some(script) => {
            let file = script.find(path)?;
            Model::from_script(&file, meta.input, device)?
        }
        None => Model::new(meta.spec, device, Streams::new(0))?,
    };
    let mismatch = |e| match e {
        TorchError::Mismatch(why) => TorchError::Mismatch(format!("{}: {why}", path.display())),
        other => other,
    };
    model.params().restore(&tensors_of(path, &data)?).map_err(mismatch)?;
    if !model.params().all_finite() {
        return Err(unreadable(path, "a weight is NaN or infinite"));
    }
    Ok((model, meta))
}

/// Reads all tensors of a safetensors file (f32, f16 or bf16) as f32 on the CPU.
///
/// # Errors
/// When the file is missing, is no safetensors file, or holds other types.
pub fn load_tensors(path: &Path) -> Result<Vec<(String, Tensor)>, TorchError> {
    tensors_of(path, &read(path)?)
}

fn read(path: &Path) -> Result<Vec<u8>, TorchError> {
    fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => TorchError::Io { path: path.to_owned(), source },
        _ => unreadable(path, source),
    })
}

fn unreadable(path: &Path, why: impl std::fmt::Display) -> TorchError {
    TorchError::Checkpoint { path: path.to_owned(), why: why.to_string() }
}

fn meta_of(path: &Path, data: &[u8]) -> Result<CheckpointMeta, TorchError> {
    let (_, header) = SafeTensors::read_metadata(data).map_err(|e| unreadable(path, e))?;
    let text = header.metadata().as_ref().and_then(|m| m.get("hybridrepair"));
    let text = text.ok_or_else(|| unreadable(path, "it has no metadata of hybridrepair (architecture, classes)"))?;
    let meta: CheckpointMeta = serde_json::from_str(text).map_err(|e| unreadable(path, e))?;
    if meta.class_names.len() != meta.spec.classes {
        let (names, classes) = (meta.class_names.len(), meta.spec.classes);
        return Err(unreadable(path, format!("{names} class names for {classes} classes")));
    }
    Ok(meta)
}

fn tensors_of(path: &Path, data: &[u8]) -> Result<Vec<(String, Tensor)>, TorchError> {
    let file = SafeTensors::deserialize(data).map_err(|e| unreadable(path, e))?;
    let mut out = Vec::new();
    for (name, view) in file.iter() {
        let kind = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            Dtype::I64 => Kind::Int64,
            other => return Err(unreadable(path, format!("tensor {name:?} has type {other:?}"))),
        };
        let shape = view.shape().iter().map(|&s| s as i64).collect::<Vec<_>>();
        out.push((name.to_owned(), Tensor::f_from_data_size(view.data(), &shape, kind)?.to_kind(Kind::Float)));
    }
    Ok(out)
}

impl CheckpointMeta {
    /// Checks that the model may be used with this data.
    ///
    /// # Errors
    /// Names the first difference: class count, class names, picture size or channel statistics.
    pub fn check_fits(
        &self,
        class_names: &[String],
        input: [usize; 2],
        normalization: &Normalization,
    ) -> Result<(), TorchError> {
        let wrong = |why: String| Err(TorchError::Mismatch(why));
        if self.spec.classes != class_names.len() {
            return wrong(format!("it knows {} classes, the data has {}", self.spec.classes, class_names.len()));
        }
        if let Some((ours, theirs)) = self.class_names.iter().zip(class_names).find(|(a, b)| a != b) {
            return wrong(format!("its class {ours:?} stands where the data has {theirs:?}"));
        }
        if self.input != input {
            return wrong(format!("it takes {:?} pixels, the data has {input:?}", self.input));
        }
        if self.normalization != *normalization {
            let ours = &self.normalization;
            return wrong(format!("it was trained on pictures normalised by {ours:?}, the data has {normalization:?}"));
        }
        Ok(())
    }

    /// Checks that the model is of this architecture and width.
    ///
    /// # Errors
    /// Names the difference.
    pub fn check_arch(&self, arch: Arch, width: Option<f64>) -> Result<(), TorchError> {
        let spec = &self.spec;
        if spec.arch != arch || width.is_some_and(|w| (w - spec.width).abs() > 1e-9) {
            let asked = width.map_or(String::new(), |w| format!(" of width {w}"));
            return Err(TorchError::Mismatch(format!(
                "it holds a {} of width {}, asked for was a {}{asked}",
                spec.arch.name(),
                spec.width,
                arch.name()
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::to_vec;

    /// Largest absolute difference of two tensors.
    fn max_difference(a: &Tensor, b: &Tensor) -> f32 {
        to_vec(a).iter().zip(to_vec(b)).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
    }

    fn model() -> (Model, CheckpointMeta) {
        let spec = ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 2 };
        let meta = CheckpointMeta {
            spec,
            class_names: vec!["stop".to_owned(), "yield".to_owned()],
            normalization: Normalization { mean: [0.5; 3], std: [0.25; 3] },
            input: [32, 32],
            dataset: "test".to_owned(),
            script: None,
        };
        (Model::new(spec, Device::Cpu, Streams::new(3)).unwrap(), meta)
    }

    #[test]
    fn a_checkpoint_round_trips_bit_for_bit_and_in_half_closely() {
        let dir = std::env::temp_dir().join(format!("hybridrepair-ckpt-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("a.safetensors");
        let (a, meta) = model();
        for (half, tolerance) in [(false, 0.0), (true, 1e-3)] {
            save_checkpoint(&path, &a, &meta, half).unwrap();
            let (b, read) = load_checkpoint(&path, Device::Cpu).unwrap();
            assert_eq!(read, meta);
            for ((_, x), (_, y)) in a.params().all().zip(b.params().all()) {
                assert!(max_difference(x, y) <= tolerance);
            }
        }
        let whole = fs::read(&path).unwrap();
        for cut in [0, 7, 100, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(matches!(load_checkpoint(&path, Device::Cpu), Err(TorchError::Checkpoint { .. })), "cut at {cut}");
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn differences_are_named() {
        let (_, meta) = model();
        let names = |n: &[&str]| n.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let norm = meta.normalization;
        let other = Normalization { mean: [0.4; 3], ..norm };
        assert!(meta.check_fits(&names(&["stop", "yield"]), [32, 32], &norm).is_ok());
        assert!(meta.check_fits(&names(&["stop"]), [32, 32], &norm).unwrap_err().to_string().contains("2 classes"));
        assert!(meta.check_fits(&names(&["yield", "stop"]), [32, 32], &norm).is_err());
        assert!(meta.check_fits(&names(&["stop", "yield"]), [64, 64], &norm).is_err());
        assert!(meta.check_fits(&names(&["stop", "yield"]), [32, 32], &other).is_err());
        assert!(meta.check_arch(Arch::MobileNet, Some(1.0)).unwrap_err().to_string().contains("width 0.1"));
    }
}
