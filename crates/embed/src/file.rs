//! Extractors of our own making as safetensors, with what is needed to use them in their metadata.

use crate::EmbedError;
use hybridrepair_core::Streams;
use hybridrepair_data::Normalization;
use hybridrepair_torch::{Device, Encoder, Kind, Mlp, Model, ModelSpec, Tensor, load_tensors, save_tensors};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, path::Path};

/// Key of the metadata.
const KEY: &str = "hybridrepair-extractor";

/// What the file of an extractor says about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtractorMeta {
    /// 1.
    pub format_version: u32,
    /// The encoder's architecture; its classifier is not used.
    pub spec: ModelSpec,
    /// Heads that the features go through, by name; empty for the encoder's own features.
    pub heads: Vec<String>,
    /// Channel statistics of what it is shown.
    pub normalization: Normalization,
    /// Height and width of the pictures.
    pub input: [usize; 2],
    /// The data set that it learned from.
    pub dataset: String,
    /// How it learned.
    pub method: String,
    /// Whether labels of the source data took part.
    pub source_labels: bool,
    /// Pictures times backward passes that it took.
    pub images_trained: u64,
}

impl ExtractorMeta {
    /// Reads them; `None` when the file is none of ours.
    ///
    /// # Errors
    /// When the file cannot be read, or was written by a newer release.
    pub fn read(path: &Path) -> Result<Option<Self>, EmbedError> {
        let data = std::fs::read(path).map_err(hybridrepair_data::DataError::io(path))?;
        let Ok((_, header)) = SafeTensors::read_metadata(&data) else { return Ok(None) };
        let Some(text) = header.metadata().as_ref().and_then(|m| m.get(KEY)) else { return Ok(None) };
        let wrong = |why: String| EmbedError::File { path: path.to_owned(), why };
        let meta: Self = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
        if meta.format_version != 1 {
            return Err(wrong(format!("format version {} is newer than this program", meta.format_version)));
        }
        Ok(Some(meta))
    }
}

/// Writes an encoder with the heads that `meta` names, and without the others; with `half` in half precision.
///
/// # Errors
/// When the file cannot be written.
pub fn save_extractor(path: &Path, model: &Model, meta: &ExtractorMeta, half: bool) -> Result<(), EmbedError> {
    let own = Model::new(meta.spec, Device::Cpu, Streams::new(0))?;
    let kept = |(name, _): &(String, Tensor)| {
        let head = meta.heads.iter().any(|h| name.strip_prefix(h.as_str()).is_some_and(|rest| rest.starts_with('.')));
        head || own.params().all().any(|(n, _)| n == name)
    };
    let tensors = model.params().snapshot().into_iter().filter(kept).collect::<Vec<_>>();
    let text =
        serde_json::to_string(meta).map_err(|e| EmbedError::File { path: path.to_owned(), why: e.to_string() })?;
    // one key only: several are written in random order
    let info = HashMap::from([(KEY.to_owned(), text)]);
    Ok(save_tensors(path, &tensors, if half { Kind::Half } else { Kind::Float }, Some(info))?)
}

/// Builds the encoder of such a file.
///
/// # Errors
/// When tensors are missing or do not fit.
pub(crate) fn load_extractor(path: &Path, meta: &ExtractorMeta, device: Device) -> Result<Encoder, EmbedError> {
    let tensors = load_tensors(path)?;
    encoder_of(meta.spec, &tensors, &meta.heads, device)
        .map_err(|e| EmbedError::File { path: path.to_owned(), why: e.to_string() })
}

/// A model of `tensors` without a prefix, and heads of those behind theirs.
pub(crate) fn encoder_of(
    spec: ModelSpec,
    tensors: &[(String, Tensor)],
    heads: &[String],
    device: Device,
) -> Result<Encoder, EmbedError> {
    let mut model = Model::new(spec, device, Streams::new(0))?;
    let is_head = |name: &str| heads.iter().any(|h| name.strip_prefix(h.as_str()).is_some_and(|r| r.starts_with('.')));
    let own = tensors.iter().filter(|(n, _)| !is_head(n)).map(|(n, t)| (n.clone(), t.shallow_clone()));
    model.params().restore(&own.collect::<Vec<_>>())?;
    let mut built = Vec::new();
    for head in heads {
        let part = tensors.iter().filter_map(|(n, t)| {
            let rest = n.strip_prefix(head.as_str())?.strip_prefix('.')?;
            Some((rest.to_owned(), t.shallow_clone()))
        });
        built.push(Mlp::of_tensors(&mut model, head, &part.collect::<Vec<_>>())?);
    }
    if !model.params().all_finite() {
        return Err(EmbedError::Weights);
    }
    Ok(Encoder::new(model, built)?)
}
