//! Checkpoints in the layout of `MoCo` v3's own training script.

use crate::{EmbedError, file::encoder_of};
use hybridrepair_torch::{Arch, Device, Encoder, ModelSpec, Tensor};

/// The trained encoder; the other one follows it.
const BASE: &str = "base_encoder.";
/// Where the encoder's classifier was, the projector is.
const PROJECTOR: &str = "fc";
const PREDICTOR: &str = "predictor";
/// Length of a `ResNet`-50's features at width 1.
const FEATURES: f64 = 2048.0;

/// Whether a state dict is that of a `MoCo` model.
pub(crate) fn is_moco(tensors: &[(String, Tensor)]) -> bool {
    tensors.iter().any(|(n, _)| n.starts_with(BASE)) && tensors.iter().any(|(n, _)| n.starts_with("predictor."))
}

/// The published feature: encoder, projector and predictor in a row (the caller takes unit lengths). The momentum encoder
/// is left out.
pub(crate) fn moco_encoder(tensors: &[(String, Tensor)], device: Device) -> Result<Encoder, EmbedError> {
    let base = tensors.iter().filter_map(|(n, t)| Some((n.strip_prefix(BASE)?.to_owned(), t.shallow_clone())));
    let rest = tensors.iter().filter(|(n, _)| n.starts_with("predictor.")).map(|(n, t)| (n.clone(), t.shallow_clone()));
    let mut found = base.chain(rest).collect::<Vec<_>>();
    let Some(input) = found.iter().find(|(n, _)| n == "fc.0.weight").map(|(_, t)| t.size()[1]) else {
        return Err(EmbedError::Torch(hybridrepair_torch::TorchError::Mismatch(
            "its base_encoder has no projector of dense layers in place of `fc`: only the ResNet-50 of MoCo v3 is read"
                .to_owned(),
        )));
    };
    let spec = ModelSpec { arch: Arch::ResNet50, width: input as f64 / FEATURES, classes: 1 };
    // the place of the classifier is taken: ours has one that nobody asks
    let cpu = (hybridrepair_torch::Kind::Float, Device::Cpu);
    found.push(("fc.weight".to_owned(), Tensor::zeros([1, input], cpu)));
    found.push(("fc.bias".to_owned(), Tensor::zeros([1], cpu)));
    // the names of the classifier and of the projector begin alike
    let projector = "projector".to_owned();
    for (name, _) in &mut found {
        let rest = name.strip_prefix(&format!("{PROJECTOR}.")).filter(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(rest) = rest {
            *name = format!("{projector}.{rest}");
        }
    }
    encoder_of(spec, &found, &[projector, PREDICTOR.to_owned()], device)
}
