//! Which part of a checkpoint is the state dict.

use crate::{PytorchFileError, Value, ValueId, pickle::Values};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// Dicts in dicts that are looked into: `{"ema": {"model": {"state_dict": ...}}}`.
const DEPTH: usize = 3;

/// Steps along a key, whatever it is.
const MOST_STEPS: usize = 1000;

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
        let missing = PytorchFileError::NoSuchStateDict {
            path,
            asked: asked.to_owned(),
            candidates: if candidates.is_empty() { vec!["none".to_owned()] } else { shown(&candidates) },
        };
        return follow(values, asked).ok_or(missing);
    }
    match candidates.len() {
        0 => Err(nothing(values, path)),
        1 => Ok(candidates.remove(0).dict),
        _ => Err(PytorchFileError::Ambiguous { path, candidates: shown(&candidates) }),
    }
}

/// The dict with tensors that a key leads to, whether or not it would have been found without being named.
fn follow(values: &Values, key: &str) -> Option<ValueId> {
    let has_tensors = |id: &ValueId| {
        matches!(values.get(*id), Value::Dict(pairs)
            if pairs.iter().any(|(_, v)| matches!(values.get(*v), Value::Tensor(_))))
    };
    // dicts that a beginning of the key leads to, and the rest; a name may have dots itself
    let mut open = vec![(values.root, key)];
    let mut steps = 0;
    while let Some((dict, rest)) = open.pop() {
        steps += 1;
        if rest.is_empty() && has_tensors(&dict) {
            return Some(dict);
        }
        if steps > MOST_STEPS {
            break;
        }
        let ends = rest.match_indices('.').map(|(at, _)| at).chain([rest.len()]);
        for end in ends.filter(|end| *end > 0) {
            if let Some(inner) = values.entry(values.get(dict), &rest[..end]) {
                open.push((inner, rest.get(end + 1..).unwrap_or_default()));
            }
        }
    }
    None
}

/// Why there is no state dict: often because a module was saved whole, or tensors are of a kind that is not read.
fn nothing(values: &Values, path: PathBuf) -> PytorchFileError {
    let class = |id: ValueId| if let Value::Object(object) = values.get(id) { Some(object.class) } else { None };
    let pairs = if let Value::Dict(pairs) = values.get(values.root) { &pairs[..] } else { &[] };
    let inside = || pairs.iter().filter_map(|(k, v)| Some((*k, *v, class(*v)?)));
    let model = inside().map(|(.., class)| class).find(|class| is_model(values, *class));
    if let Some(class) = class(values.root).or(model) {
        return PytorchFileError::WholeObject { path, class: values.class_name(class) };
    }
    let mut found = values.describe(values.root);
    if let Some((key, value, _)) = inside().next() {
        let key = values.describe(key);
        found = format!("{found}; {} is {}", key.trim_start_matches("the text "), values.describe(value));
    }
    PytorchFileError::NoStateDict { path, found }
}

/// Whether a class may be a model, and is no array of numpy or the like that stands beside one.
fn is_model(values: &Values, class: ValueId) -> bool {
    let name = values.class_name(class);
    !["numpy", "torch._", "torch.optim", "argparse", "collections", "builtins", "pathlib"]
        .iter()
        .any(|other| name.starts_with(other))
}
