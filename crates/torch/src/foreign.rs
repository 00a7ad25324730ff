//! Checkpoints that were not written here: a state dict of `torch.save`, or a plain safetensors file.

use crate::{
    Arch, CheckpointMeta, Model, ModelSpec, ScriptFile, TorchError, load_checkpoint, load_tensors, peek_checkpoint,
};
use hybridrepair_core::Streams;
use hybridrepair_data::{Normalization, Splits};
use hybridrepair_pytorch_file::{CheckpointFile, NamedTensor};
use std::{fs::File, io::Read, path::Path};
use tch::{Device, Tensor};

/// What a state dict does not say about its model, taken from the data that it is used with.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFacts {
    /// A name per class.
    pub class_names: Vec<String>,
    /// The test transform's channel statistics.
    pub normalization: Normalization,
    /// Height and width of the pictures.
    pub input: [usize; 2],
    /// Name of the data set.
    pub dataset: String,
}

impl From<&Splits> for DataFacts {
    fn from(splits: &Splits) -> Self {
        let images = &splits.field.images;
        Self {
            class_names: splits.class_names.clone(),
            normalization: splits.normalization,
            input: [images.height(), images.width()],
            dataset: splits.name.clone(),
        }
    }
}

/// Builds the model of a checkpoint and checks that it fits the data.
///
/// A file of ours says all about itself. Of a plain safetensors file or of what `torch.save` wrote (a state dict, plain
/// or wrapped, with or without `module.` before its names) the architecture and its width are told from the names and
/// shapes of the tensors, and the rest is taken from `data`: nobody else has noted class names and normalisation.
///
/// # Errors
/// When the file is missing or damaged, holds no state dict, fits none of the architectures, or does not fit the data.
pub fn open_checkpoint(path: &Path, device: Device, data: &DataFacts) -> Result<(Model, CheckpointMeta), TorchError> {
    if is_safetensors(path)? && has_our_metadata(path) {
        let (model, meta) = load_checkpoint(path, device)?;
        meta.check_fits(&data.class_names, data.input, &data.normalization)?;
        return Ok((model, meta));
    }
    let tensors = read_state_dict(path)?;
    let in_file = |e| match e {
        TorchError::Mismatch(why) => TorchError::Mismatch(format!("{}: {why}", path.display())),
        other => other,
    };
    let model = infer(&tensors, device).map_err(in_file)?;
    let spec = *model.spec();
    let DataFacts { class_names, normalization, input, dataset } = data.clone();
    let meta = CheckpointMeta { spec, class_names, normalization, input, dataset, script: None };
    if spec.classes != meta.class_names.len() {
        let (ours, theirs) = (spec.classes, meta.class_names.len());
        return Err(in_file(TorchError::Mismatch(format!("it knows {ours} classes, the data has {theirs}"))));
    }
    model.params().restore(&tensors).map_err(in_file)?;
    if !model.params().all_finite() {
        let why = "a weight is NaN or infinite".to_owned();
        return Err(TorchError::Checkpoint { path: path.to_owned(), why });
    }
    Ok((model, meta))
}

/// The model of a TorchScript file, checked against the data.
///
/// # Errors
/// As [`Model::from_script`], and when its classes are not as many as those of the data.
pub fn open_script(path: &Path, device: Device, data: &DataFacts) -> Result<(Model, CheckpointMeta), TorchError> {
    let DataFacts { class_names, normalization, input, dataset } = data.clone();
    let model = Model::from_script(path, input, device)?;
    let spec = *model.spec();
    if spec.classes != class_names.len() {
        let why = format!("it knows {} classes, the data has {}", spec.classes, class_names.len());
        return Err(TorchError::Script { path: path.to_owned(), why });
    }
    let script = Some(ScriptFile::of(path)?);
    Ok((model, CheckpointMeta { spec, class_names, normalization, input, dataset, script }))
}

/// Reads the tensors of a safetensors file or of what `torch.save` wrote, as f32 on the CPU.
///
/// # Errors
/// When the file is missing, damaged, or something else.
pub fn read_state_dict(path: &Path) -> Result<Vec<(String, Tensor)>, TorchError> {
    if is_safetensors(path)? {
        return load_tensors(path);
    }
    let file = CheckpointFile::open(path).and_then(|file| file.state_dict())?;
    file.iter().map(|t| Ok((t.name.clone(), tensor_of(t)?))).collect()
}

fn tensor_of(named: &NamedTensor) -> Result<Tensor, TorchError> {
    let shape = named.shape.iter().map(|&s| s as i64).collect::<Vec<_>>();
    Ok(Tensor::f_from_slice(&named.to_f32()?)?.f_view(shape.as_slice())?)
}

/// Whether a file is one of safetensors: its header is JSON and begins after eight bytes of length.
pub(crate) fn is_safetensors(path: &Path) -> Result<bool, TorchError> {
    let io = |source| TorchError::Io { path: path.to_owned(), source };
    let mut start = [0u8; 9];
    let mut file = File::open(path).map_err(io)?;
    let mut read = 0;
    while read < start.len() {
        match file.read(&mut start[read..]).map_err(io)? {
            0 => break,
            n => read += n,
        }
    }
    // what is cut short is told as a damaged safetensors file when its name says so
    let named = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors"));
    Ok(named || (read == start.len() && start[8] == b'{'))
}

/// Whether a safetensors file says what model it holds. Damage is told by whoever reads it next.
fn has_our_metadata(path: &Path) -> bool {
    !matches!(peek_checkpoint(path), Err(TorchError::Checkpoint { why, .. }) if why.contains("no metadata of hybridrepair"))
}

/// How an architecture is told by its tensors: the name of one that only it has, the classifier's weight, the length of
/// its features at width 1, and the numbers that its channels are multiples of.
fn marks(arch: Arch) -> Option<(&'static str, &'static str, f64, f64)> {
    match arch {
        Arch::MobileNet => Some(("layers.12.conv2.weight", "linear.weight", 1024.0, 1.0)),
        Arch::ResNet18 => Some(("layer4.1.conv2.weight", "fc.weight", 512.0, 1.0)),
        Arch::ShuffleNetG2 => Some(("layer2.7.conv3.weight", "linear.weight", 800.0, 8.0)),
        Arch::Vgg16 => Some(("features.28.weight", "classifier.2.weight", 4096.0, 1.0)),
        Arch::DenseNet121 => {
            Some(("features.denseblock4.denselayer16.conv2.weight", "classifier.weight", 1024.0, 32.0))
        }
        Arch::TorchScript | Arch::Layers => None,
    }
}

/// A new model of the architecture, width and classes that a state dict has.
///
/// Channels are rounded layer by layer, so the classifier alone leaves a range of widths: of those in it the roundest
/// one is taken whose layers all have the shapes of the file.
fn infer(tensors: &[(String, Tensor)], device: Device) -> Result<Model, TorchError> {
    let size = |name: &str| tensors.iter().find(|(n, _)| n == name).map(|(_, t)| t.size());
    for arch in Arch::ALL {
        let Some((own, head, features, multiple)) = marks(arch) else { continue };
        let (Some(_), Some(weight)) = (size(own), size(head)) else { continue };
        let [classes, length] = weight[..] else { continue };
        let classes = classes as usize;
        let build = |width: f64| Model::new(ModelSpec { arch, width, classes }, device, Streams::new(0));
        let fits = |model: &Model| model.params().all().all(|(n, t)| size(n).is_none_or(|s| s == t.size()));
        for width in round_widths(length as f64, features, multiple) {
            let model = build(width)?;
            if fits(&model) {
                return Ok(model);
            }
        }
        // of no width: the caller's comparison names the first tensor that differs
        return build(length as f64 / features);
    }
    let first = tensors.iter().take(3).map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", ");
    let known = Arch::ALL.map(Arch::name).join(", ");
    let n = tensors.len();
    Err(TorchError::Mismatch(format!("its {n} tensors ({first}, ...) belong to none of {known}")))
}

/// The widths that give so many features, the roundest first.
fn round_widths(length: f64, features: f64, multiple: f64) -> Vec<f64> {
    let (low, high) = ((length - multiple / 2.0) / features, (length + multiple / 2.0) / features);
    let mut widths: Vec<f64> = Vec::new();
    for parts in [1.0, 2.0, 4.0, 8.0, 10.0, 16.0, 20.0, 40.0, 100.0, 200.0, 1000.0] {
        let (from, to) = ((low * parts).ceil() as u32, (high * parts).floor() as u32);
        for width in (from..=to).map(|k| f64::from(k) / parts) {
            if width > 0.0 && !widths.contains(&width) {
                widths.push(width);
            }
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExportFormat, export, save_tensors};
    use tch::Kind;

    fn facts(classes: usize) -> DataFacts {
        DataFacts {
            class_names: (0..classes).map(|c| format!("class {c}")).collect(),
            normalization: Normalization { mean: [0.5; 3], std: [0.25; 3] },
            input: [32, 32],
            dataset: "test".to_owned(),
        }
    }

    #[test]
    fn every_architecture_is_told_from_its_tensors_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        for arch in Arch::ALL {
            // the large ones are written and read at small widths only
            let large = matches!(arch, Arch::Vgg16 | Arch::DenseNet121);
            for width in [0.05, 0.125, 0.2, 0.25, 0.3, 0.375, 0.7, 1.0].into_iter().filter(|w| !large || *w < 0.26) {
                let spec = ModelSpec { arch, width, classes: 4 };
                let model = Model::new(spec, Device::Cpu, Streams::new(1)).unwrap();
                let values = model.params().snapshot();
                let plain = dir.path().join(format!("{}-{width}.safetensors", arch.name()));
                save_tensors(&plain, &values, Kind::Float, None).unwrap();
                let pickled = dir.path().join(format!("{}-{width}.pt", arch.name()));
                export(&model, [32, 32], ExportFormat::StateDict { half: false }, &pickled, false).unwrap();
                for file in [&plain, &pickled] {
                    let (read, meta) = open_checkpoint(file, Device::Cpu, &facts(4)).unwrap();
                    assert_eq!((meta.spec.arch, meta.spec.classes), (arch, 4));
                    for ((name, a), (_, b)) in model.params().all().zip(read.params().all()) {
                        assert_eq!(a, b, "{name} of {}", file.display());
                    }
                }
                let error = open_checkpoint(&pickled, Device::Cpu, &facts(5)).unwrap_err().to_string();
                assert!(error.contains("4 classes, the data has 5"), "{error}");
            }
        }
    }

    #[test]
    fn tensors_of_nobody_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.safetensors");
        let tensors = [("encoder.weight".to_owned(), Tensor::zeros([2, 2], (Kind::Float, Device::Cpu)))];
        save_tensors(&file, &tensors, Kind::Float, None).unwrap();
        let error = open_checkpoint(&file, Device::Cpu, &facts(2)).unwrap_err().to_string();
        assert!(error.contains("encoder.weight") && error.contains("mobilenet"), "{error}");
        std::fs::write(&file, b"junk").unwrap();
        assert!(matches!(open_checkpoint(&file, Device::Cpu, &facts(2)), Err(TorchError::Checkpoint { .. })));
        let html = dir.path().join("x.pt");
        std::fs::write(&html, b"<!DOCTYPE html><html></html>").unwrap();
        assert!(matches!(open_checkpoint(&html, Device::Cpu, &facts(2)), Err(TorchError::PytorchFile(_))));
    }
}
