//! The state of a run after an epoch, in one file that is replaced whole.

use crate::{EpochReading, TrainError};
use hybridrepair_torch::{Kind, Tensor, TorchError, load_tensors, save_tensors};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, path::Path};

/// Everything that the next epoch depends on.
#[derive(Debug)]
pub struct ResumeState {
    /// The settings that the state belongs to.
    pub key: String,
    /// The finished epochs.
    pub epochs: Vec<EpochReading>,
    /// The model's tensors.
    pub model: Vec<(String, Tensor)>,
    /// The optimiser's tensors.
    pub optimizer: Vec<(String, Tensor)>,
    /// The objective's tensors.
    pub objective: Vec<(String, Tensor)>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format_version: u32,
    key: String,
    epochs: Vec<EpochReading>,
}

/// Writes the state, atomically.
///
/// # Errors
/// When the file cannot be written.
pub fn save_state(path: &Path, state: &ResumeState) -> Result<(), TrainError> {
    let header = Header { format_version: 1, key: state.key.clone(), epochs: state.epochs.clone() };
    let header = serde_json::to_string(&header).map_err(|e| TrainError::Resume(e.to_string()))?;
    let part = |prefix: &str, tensors: &[(String, Tensor)]| {
        tensors.iter().map(|(n, t)| (format!("{prefix}.{n}"), t.shallow_clone())).collect::<Vec<_>>()
    };
    let mut tensors = part("model", &state.model);
    tensors.extend(part("optim", &state.optimizer));
    tensors.extend(part("objective", &state.objective));
    let info = HashMap::from([("hybridrepair-state".to_owned(), header)]);
    Ok(save_tensors(path, &tensors, Kind::Float, Some(info))?)
}

/// Reads a state.
///
/// # Errors
/// When the file is missing, torn or no state of ours.
pub fn load_state(path: &Path) -> Result<ResumeState, TrainError> {
    let bad = |why: String| TrainError::Resume(format!("{}: {why}", path.display()));
    let data = std::fs::read(path).map_err(|source| TorchError::Io { path: path.to_owned(), source })?;
    let (_, info) = SafeTensors::read_metadata(&data).map_err(|e| bad(e.to_string()))?;
    let header = info.metadata().as_ref().and_then(|m| m.get("hybridrepair-state"));
    let header = header.ok_or_else(|| bad("it is no training state".to_owned()))?;
    let header: Header = serde_json::from_str(header).map_err(|e| bad(e.to_string()))?;
    if header.format_version != 1 {
        return Err(bad(format!("format version {} is newer than this program", header.format_version)));
    }
    let (mut model, mut optimizer, mut objective) = (Vec::new(), Vec::new(), Vec::new());
    for (name, tensor) in load_tensors(path)? {
        if let Some(n) = name.strip_prefix("model.") {
            model.push((n.to_owned(), tensor));
        } else if let Some(n) = name.strip_prefix("optim.") {
            optimizer.push((n.to_owned(), tensor));
        } else if let Some(n) = name.strip_prefix("objective.") {
            objective.push((n.to_owned(), tensor));
        }
    }
    Ok(ResumeState { key: header.key, epochs: header.epochs, model, optimizer, objective })
}
