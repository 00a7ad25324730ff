//! Values in words, for messages.

use super::{
    value::{Value, ValueId},
    values::Values,
};

/// Keys of a dict that are named.
const KEYS: usize = 8;

/// Characters of a text that are shown.
const LONGEST: usize = 60;

/// The beginning of a text, without what a terminal would obey.
fn short(text: &str) -> String {
    let shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() { format!("{shown}...") } else { shown }
}

impl Values {
    /// A value in a few words. Only the value itself is looked at, and the keys of a dict.
    pub(crate) fn describe(&self, id: ValueId) -> String {
        match self.get(id) {
            Value::None => "None".to_owned(),
            Value::Bool(value) => format!("the truth value {value}"),
            Value::Int(number) => format!("the number {number}"),
            Value::BigInt(bytes) => format!("a number of {} bytes", bytes.len()),
            Value::Float(number) => format!("the number {number}"),
            Value::Str(text) => format!("the text '{}'", short(text)),
            Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Value::Tuple(parts) => format!("a tuple of {}", parts.len()),
            Value::List(parts) => format!("a list of {}", parts.len()),
            Value::Set(parts) => format!("a set of {}", parts.len()),
            Value::Dict(pairs) if pairs.is_empty() => "an empty dict".to_owned(),
            Value::Dict(pairs) => {
                let key = |id| match self.get(id) {
                    Value::Str(text) => format!("'{}'", short(text)),
                    Value::Int(number) => number.to_string(),
                    _ => "?".to_owned(),
                };
                let keys = pairs.iter().take(KEYS).map(|(k, _)| key(*k)).collect::<Vec<_>>().join(", ");
                let more = if pairs.len() > KEYS { format!(" and {} more", pairs.len() - KEYS) } else { String::new() };
                format!("a dict with {keys}{more}")
            }
            Value::Tensor(tensor) => format!("a tensor of {} with shape {:?}", tensor.dtype, tensor.shape),
            Value::Storage(_) => "a storage".to_owned(),
            Value::Dtype(dtype) => format!("torch.{dtype}"),
            Value::Device(name) => format!("the device {}", short(name)),
            Value::NumpyDtype(_) => "a numpy dtype".to_owned(),
            Value::Global(_) => format!("the name {}", self.class_name(id)),
            Value::Object(object) => format!("an object of {}", self.class_name(object.class)),
        }
    }

    /// `module.name` of a class or function.
    pub(crate) fn class_name(&self, id: ValueId) -> String {
        match self.get(id) {
            Value::Global(global) => {
                let part = |id| short(self.text(id).unwrap_or_default());
                format!("{}.{}", part(global.module), part(global.name))
            }
            Value::Object(_) => "what another object gives".to_owned(),
            _ => "an unknown class".to_owned(),
        }
    }
}
