//! From a file, whoever wrote it, to a network that makes embeddings.

use crate::{
    EmbedError, ExtractorMeta,
    file::load_extractor,
    moco_file::{is_moco, moco_encoder},
};
use hybridrepair_data::Normalization;
use hybridrepair_torch::{
    Device, Encoder, Model, ScriptFacts, infer_model, is_torchscript, peek_checkpoint, read_state_dict,
};
use std::path::Path;

/// What the user says about an extractor that does not say it itself; it wins over what the file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// Channel statistics that it expects.
    pub normalization: Option<Normalization>,
    /// Height and width of the pictures that it expects.
    pub input: Option<[usize; 2]>,
}

/// An extractor ready for use.
#[derive(Debug)]
pub struct Opened {
    /// The network.
    pub encoder: Encoder,
    /// Channel statistics of what it is shown.
    pub normalization: Normalization,
    /// Height and width of what it is shown.
    pub input: [usize; 2],
    /// How pictures of other sizes are brought there, where the file says it.
    pub resize: Option<String>,
    /// What it is, for people.
    pub about: String,
    /// Pictures times backward passes that it took, where it is of our own making.
    pub images_trained: u64,
}

/// Opens an extractor: a file that `pretrain` wrote, a model that `train` wrote, TorchScript (what its `forward` gives, or
/// its `features`), a checkpoint of `MoCo` v3, or a state dict of a known architecture.
///
/// # Errors
/// When the file is missing, damaged or something else, or says neither normalisation nor input size and `given` does not
/// either.
pub fn open(path: &Path, given: &Given, device: Device) -> Result<Opened, EmbedError> {
    let unsaid = |what| EmbedError::Unsaid { path: path.to_owned(), what };
    let settled = |n: Option<Normalization>, i: Option<[usize; 2]>| {
        let normalization = given.normalization.or(n).ok_or(unsaid("normalisation"))?;
        Ok::<_, EmbedError>((normalization, given.input.or(i).ok_or(unsaid("input size"))?))
    };
    if let Some(meta) = ExtractorMeta::read(path)? {
        let (normalization, input) = settled(Some(meta.normalization), Some(meta.input))?;
        let encoder = load_extractor(path, &meta, device)?;
        let about = format!("{} of width {} by {}", meta.spec.arch.name(), meta.spec.width, meta.method);
        return Ok(Opened { encoder, normalization, input, resize: None, about, images_trained: meta.images_trained });
    }
    if is_torchscript(path) {
        let facts = ScriptFacts::read(path)?;
        let (normalization, input) = settled(facts.normalization, facts.input)?;
        let encoder = Encoder::new(Model::from_script(path, input, device)?, Vec::new())?;
        let about = "TorchScript".to_owned();
        return Ok(Opened { encoder, normalization, input, resize: facts.resize, about, images_trained: 0 });
    }
    let known = peek_checkpoint(path).ok();
    let (normalization, input) = settled(known.as_ref().map(|m| m.normalization), known.as_ref().map(|m| m.input))?;
    let tensors = read_state_dict(path)?;
    let named = |e: EmbedError| EmbedError::File { path: path.to_owned(), why: e.to_string() };
    let (encoder, about) = if is_moco(&tensors) {
        (moco_encoder(&tensors, device).map_err(named)?, "checkpoint of MoCo v3".to_owned())
    } else {
        let model = infer_model(&tensors, device).map_err(|e| named(e.into()))?;
        if !model.params().all_finite() {
            return Err(named(EmbedError::Weights));
        }
        let about = format!("{} of width {}", model.spec().arch.name(), model.spec().width);
        (Encoder::new(model, Vec::new())?, about)
    };
    Ok(Opened { encoder, normalization, input, resize: None, about, images_trained: 0 })
}
