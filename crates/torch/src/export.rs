//! Models for other programs.

use crate::{Arch, Model, TorchError, predict::to_vec, save_tensors};
use hybridrepair_pytorch_file::{Dtype, IfExists, NamedTensor, write_state_dict};
use std::{collections::BTreeSet, path::Path};
use tch::{CModule, Kind, Tensor};

/// What a model is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Named tensors as safetensors, without our metadata.
    Safetensors {
        /// Whether the numbers are stored in half precision.
        half: bool,
    },
    /// What `torch.load(path, weights_only=True)` reads, for `load_state_dict` of the same architecture.
    StateDict {
        /// Whether the numbers are stored in half precision.
        half: bool,
    },
    /// A traced module that gives logits, for inference: batch norm is frozen, the number of pictures free, their size
    /// fixed. (A trace has one result; the features are not among it.) A model that came as a TorchScript module is
    /// written as that module with its present weights.
    TorchScript,
}

/// Writes a model; `input` is the height and width of its pictures.
///
/// A TorchScript file is read again and asked about some pictures before it counts as written.
///
/// # Errors
/// When the file exists and may not be overwritten, cannot be written, or does not say what the model says.
pub fn export(
    model: &Model,
    input: [usize; 2],
    format: ExportFormat,
    path: &Path,
    overwrite: bool,
) -> Result<(), TorchError> {
    let exists = || std::io::Error::new(std::io::ErrorKind::AlreadyExists, "it exists already");
    if !overwrite && path.symlink_metadata().is_ok() {
        return Err(TorchError::Io { path: path.to_owned(), source: exists() });
    }
    match format {
        // it is a module already, and better than a trace of itself
        ExportFormat::TorchScript if model.spec().arch == Arch::TorchScript => model.save_script(path),
        ExportFormat::Safetensors { half } => save_tensors(path, &model.params().snapshot(), kind(half), None),
        ExportFormat::StateDict { half } => {
            let named = model.params().snapshot().iter().map(|(name, t)| named(name, t, half)).collect::<Vec<_>>();
            let if_exists = if overwrite { IfExists::Replace } else { IfExists::Refuse };
            Ok(write_state_dict(path, &with_counters(named), if_exists)?)
        }
        ExportFormat::TorchScript => torch_script(model, input, path),
    }
}

fn kind(half: bool) -> Kind {
    if half { Kind::Half } else { Kind::Float }
}

fn named(name: &str, tensor: &Tensor, half: bool) -> NamedTensor {
    // a counter of a module of others stays one
    let (kind, dtype, size) = match tensor.kind() {
        Kind::Int64 => (Kind::Int64, Dtype::I64, 8),
        _ if half => (Kind::Half, Dtype::F16, 2),
        _ => (Kind::Float, Dtype::F32, 4),
    };
    let t = tensor.to_kind(kind).contiguous();
    let mut data = vec![0u8; t.numel() * size];
    t.copy_data_u8(&mut data, t.numel());
    let shape = t.size().iter().map(|&s| s as usize).collect();
    NamedTensor { name: name.to_owned(), dtype, shape, data }
}

/// `PyTorch`'s batch norm counts its batches and `load_state_dict` asks for the counter.
fn with_counters(tensors: Vec<NamedTensor>) -> Vec<NamedTensor> {
    let present = tensors.iter().map(|t| t.name.clone()).collect::<BTreeSet<_>>();
    let mut all = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let name = tensor.name.strip_suffix("running_var").map(|norm| format!("{norm}num_batches_tracked"));
        let counter = name.filter(|name| !present.contains(name)).map(|name| NamedTensor {
            name,
            dtype: Dtype::I64,
            shape: Vec::new(),
            data: 0i64.to_le_bytes().to_vec(),
        });
        all.push(tensor);
        all.extend(counter);
    }
    all
}

fn torch_script(model: &Model, [h, w]: [usize; 2], path: &Path) -> Result<(), TorchError> {
    // a trace keeps tensors as constants, which must not ask for gradients
    let twin = model.duplicate()?;
    for (_, t) in twin.params().trained() {
        let _ = t.shallow_clone().set_requires_grad(false);
    }
    let values = |n: usize| (0..n * 3 * h * w).map(|i| (0.7 * i as f32).sin()).collect::<Vec<_>>();
    let pictures =
        |n: usize| Tensor::from_slice(&values(n)).view([n as i64, 3, h as i64, w as i64]).to_device(model.device());
    let mut said = |x: &[Tensor]| vec![twin.forward(&x[0], false).logits];
    let module = CModule::create_by_tracing("HybridRepair", "forward", &[pictures(2)], &mut said)?;
    let temporary = path.with_extension("export.tmp");
    let io = |source| TorchError::Io { path: path.to_owned(), source };
    let written = module.save(&temporary).map_err(TorchError::from).and_then(|()| {
        // another number of pictures than was traced
        let x = pictures(3);
        let read = CModule::load_on_device(&temporary, model.device())?;
        let got = read.forward_ts(&[x.shallow_clone()])?;
        let want = tch::no_grad(|| model.forward(&x, false).logits);
        let scale = to_vec(&want).iter().fold(1f32, |m, v| m.max(v.abs()));
        let worst = to_vec(&got).iter().zip(to_vec(&want)).fold(0f32, |m, (a, b)| m.max((a - b).abs()));
        // a NaN is not small
        let close = worst <= 1e-4 * scale;
        if got.size() != want.size() || !close {
            return Err(unlike(path, &format!("its logits differ by {worst}")));
        }
        std::fs::rename(&temporary, path).map_err(io)
    });
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&temporary);
    })
}

fn unlike(path: &Path, why: &str) -> TorchError {
    TorchError::Checkpoint { path: path.to_owned(), why: format!("read again, the exported module {why}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelSpec;
    use hybridrepair_core::Streams;
    use tch::Device;

    #[test]
    fn every_architecture_is_exported_as_torchscript_that_says_the_same() {
        let dir = tempfile::tempdir().unwrap();
        for arch in Arch::ALL {
            let spec = ModelSpec { arch, width: 0.25, classes: 3 };
            let model = Model::new(spec, Device::Cpu, Streams::new(2)).unwrap();
            let path = dir.path().join(format!("{}.pt", arch.name()));
            export(&model, [32, 32], ExportFormat::TorchScript, &path, false).unwrap();
            let again = export(&model, [32, 32], ExportFormat::TorchScript, &path, false);
            assert!(matches!(again, Err(TorchError::Io { .. })), "nothing is overwritten unasked");
            // the exporter has left the model as it was
            assert!(model.params().trained().all(|(_, t)| t.requires_grad()));
        }
    }
}
