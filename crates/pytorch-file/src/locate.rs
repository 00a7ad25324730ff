//! Which part of a checkpoint is the state dict.

use crate::{PytorchFileError, Value, ValueId, pickle::Values};
use std::{collections::HashSet, path::Path};

/// Dicts in dicts that are looked into: `{"ema": {"model": {"state_dict": ...}}}`.
const DEPTH: usize = 3;

/// How messages call a state dict that is the file itself.
const WHOLE_FILE: &str = "the whole file";

/// A state dict, and the keys that lead to it, joined by dots.
pub(crate) struct Candidate {
    pub(crate) key: String,
    pub(crate) dict: ValueId,
}

/// The state dicts of a file: dicts with text keys, most of them tensors, that lie in dicts with text keys.
///
/// A dict that holds a state dict is none itself, and an optimizer's state (`param_groups`) is none either.
pub(crate) fn candidates(values: &Values) -> Vec<Candidate> {
    let mut found = Vec::new();
    walk(values, values.root, String::new(), DEPTH, &mut HashSet::new(), &mut found);
    found
}

fn walk(
    values: &Values,
    dict: ValueId,
    key: String,
    depth: usize,
    seen: &mut HashSet<ValueId>,
    found: &mut Vec<Candidate>,
) {
    let value = values.get(dict);
    let Value::Dict(pairs) = value else { return };
    if !seen.insert(dict) || values.entry(value, "param_groups").is_some() {
        return;
    }
    let before = found.len();
    for (k, v) in pairs {
        if let (Some(name), true) = (values.text(*k), depth > 0)
            && matches!(values.get(*v), Value::Dict(_))
        {
            let inner = if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
            walk(values, *v, inner, depth - 1, seen, found);
        }
    }
    let tensors = pairs.iter().filter(|(_, v)| matches!(values.get(*v), Value::Tensor(_))).count();
    let named = pairs.iter().all(|(k, _)| values.text(*k).is_some());
    if found.len() == before && named && 2 * tensors > pairs.len() {
        found.push(Candidate { key, dict });
    }
}

/// The keys as they are shown.
fn shown(candidates: &[Candidate]) -> Vec<String> {
    let show = |c: &Candidate| if c.key.is_empty() { WHOLE_FILE.to_owned() } else { c.key.clone() };
    candidates.iter().map(show).collect()
}

/// The state dict: the only one, or the one of that key.
pub(crate) fn state_dict(values: &Values, path: &Path, key: Option<&str>) -> Result<ValueId, PytorchFileError> {
    let path = path.to_owned();
    let mut candidates = candidates(values);
    if let Some(asked) = key {
        let of = candidates.iter().find(|c| c.key == asked);
        let missing = PytorchFileError::NoSuchStateDict {
            path,
            asked: asked.to_owned(),
            candidates: if candidates.is_empty() { vec!["none".to_owned()] } else { shown(&candidates) },
        };
        return of.map(|c| c.dict).ok_or(missing);
    }
    match candidates.len() {
        0 => Err(nothing(values, path)),
        1 => Ok(candidates.remove(0).dict),
        _ => Err(PytorchFileError::Ambiguous { path, candidates: shown(&candidates) }),
    }
}

/// Why there is no state dict: often because a module was saved whole.
fn nothing(values: &Values, path: std::path::PathBuf) -> PytorchFileError {
    let object = |id: ValueId| if let Value::Object(object) = values.get(id) { Some(object.class) } else { None };
    let inside = match values.get(values.root) {
        Value::Dict(pairs) => pairs.iter().filter_map(|(_, v)| object(*v)).find(|class| is_model(values, *class)),
        _ => None,
    };
    match object(values.root).or(inside) {
        Some(class) => PytorchFileError::WholeObject { path, class: values.class_name(class) },
        None => PytorchFileError::NoStateDict { path, found: values.describe(values.root) },
    }
}

/// Whether a class may be a model, and is no array of numpy or the like that stands beside one.
fn is_model(values: &Values, class: ValueId) -> bool {
    let name = values.class_name(class);
    !["numpy", "torch._", "torch.optim", "argparse", "collections", "builtins", "pathlib"]
        .iter()
        .any(|other| name.starts_with(other))
}
