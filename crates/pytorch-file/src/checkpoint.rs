use crate::{
    NamedTensor, PytorchFileError, Value, ValueId,
    container::{Content, content},
    error::Fault,
    gather::Gatherer,
    locate,
    source::Source,
};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// What `DataParallel` and `DistributedDataParallel` put before every name.
const WRAPPER: &str = "module.";

/// Entries of state dicts that belong to the module's class and may be anything.
const EXTRA: &str = "_extra_state";

/// A file of `torch.save`, of 1.6 and later (zip) or before. Its storages are read when they are asked for.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    source: Source,
    content: Content,
}

impl CheckpointFile {
    /// Opens a file and reads everything but the tensors' elements.
    ///
    /// # Errors
    /// When it cannot be read, is something else ([`PytorchFileError::Mistaken`] says what), or is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, PytorchFileError> {
        let path = path.as_ref();
        Self::new(Source::open(path).map_err(|fault| fault.at(path))?, path)
    }

    /// As [`Self::open`], for bytes in memory. Messages call them `<bytes>`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, PytorchFileError> {
        Self::new(Source::Bytes(bytes), Path::new("<bytes>"))
    }

    fn new(source: Source, path: &Path) -> Result<Self, PytorchFileError> {
        let content = content(&source).map_err(|fault| fault.at(path))?;
        Ok(Self { path: path.to_owned(), source, content })
    }

    /// What was saved.
    pub fn root(&self) -> &Value {
        self.value(self.content.values.root)
    }

    /// A part of a value of this file.
    ///
    /// # Panics
    /// With an id of another file, perhaps.
    pub fn value(&self, id: ValueId) -> &Value {
        self.content.values.get(id)
    }

    /// The value beside the state dict under a key, for instance `epoch`.
    pub fn entry(&self, key: &str) -> Option<&Value> {
        self.content.values.entry(self.root(), key).map(|id| self.value(id))
    }

    /// The keys that lead to the state dicts in this file, dots between them; empty text when the file is one itself.
    pub fn candidates(&self) -> Vec<String> {
        locate::candidates(&self.content.values).into_iter().map(|c| c.key).collect()
    }

    /// The tensors of the state dict, which is the file itself or lies in it under any key, in the file's order.
    ///
    /// A `module.` before all names is removed. Entries whose name ends with `_extra_state` and
    /// that are no tensors are left out.
    ///
    /// # Errors
    /// When there is no state dict or more than one, an entry is no tensor, or a tensor reaches beyond its storage or
    /// its storage beyond the file.
    pub fn state_dict(&self) -> Result<Vec<NamedTensor>, PytorchFileError> {
        self.read(locate::state_dict(&self.content.values, &self.path, None)?)
    }

    /// As [`Self::state_dict`], for a file that holds several: one of [`Self::candidates`], or any dict with tensors.
    ///
    /// # Errors
    /// As [`Self::state_dict`], and when there is none under this key.
    pub fn state_dict_at(&self, key: &str) -> Result<Vec<NamedTensor>, PytorchFileError> {
        self.read(locate::state_dict(&self.content.values, &self.path, Some(key))?)
    }

    fn read(&self, dict: ValueId) -> Result<Vec<NamedTensor>, PytorchFileError> {
        let values = &self.content.values;
        let wrong =
            |name: &str, why: String| PytorchFileError::Tensor { path: self.path.clone(), name: name.to_owned(), why };
        let Value::Dict(pairs) = values.get(dict) else { return Ok(Vec::new()) };
        let name = |key: ValueId| values.text(key).unwrap_or_default();
        let is_extra = |name: &str, id| name.ends_with(EXTRA) && !matches!(values.get(id), Value::Tensor(_));
        let entries = || pairs.iter().map(|(k, v)| (name(*k), *v)).filter(|(name, id)| !is_extra(name, *id));
        let wrapper = if entries().all(|(name, _)| name.starts_with(WRAPPER)) { WRAPPER } else { "" };
        let mut seen = HashSet::new();
        let mut gatherer = Gatherer::new(&self.source, &self.content);
        let mut out = Vec::new();
        for (name, id) in entries() {
            let Value::Tensor(view) = values.get(id) else {
                return Err(wrong(name, format!("should be a tensor and is {}", values.describe(id))));
            };
            if !seen.insert(name) {
                return Err(wrong(name, "stands twice in the state dict".to_owned()));
            }
            let short = name.strip_prefix(wrapper).unwrap_or(name);
            out.push(gatherer.read(short, view).map_err(|fault| match fault {
                Fault::Format(why) => wrong(name, why),
                other => other.at(&self.path),
            })?);
        }
        Ok(out)
    }
}
