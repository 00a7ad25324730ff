use crate::Mistaken;
use std::{io, path::PathBuf};
use thiserror::Error;

/// What can go wrong with a `PyTorch` file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PytorchFileError {
    /// The file cannot be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is something else than what `torch.save` writes.
    #[error("{}: {kind}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: Mistaken,
    },
    /// The file is damaged, cut short, beyond the limits of this reader, or of a form that it does not know.
    #[error("{}: {why}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A value that should be a tensor is none, or one that cannot be read.
    #[error("{}: {name:?} {why}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file without state dict.
    #[error("{}: no state dict found: the file holds {found}", path.display())]
    NoStateDict {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
    /// A pickled module instead of its state dict.
    #[error(
        "{}: holds a whole pickled object of class {class}, which only its own program can load: save its state dict \
         there, torch.save(model.state_dict(), ...)",
        path.display()
    )]
    WholeObject {
        /// The file.
        path: PathBuf,
        /// The class.
        class: String,
    },
    /// Several state dicts, and none was named.
    #[error("{}: holds several state dicts, name one of them: {}", path.display(), candidates.join(", "))]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// Their keys.
        candidates: Vec<String>,
    },
    /// A state dict was named that is not there.
    #[error("{}: no state dict under {asked:?}; there is {}", path.display(), candidates.join(", "))]
    NoSuchStateDict {
        /// The file.
        path: PathBuf,
        /// The key that was asked for.
        asked: String,
        /// The keys that there are.
        candidates: Vec<String>,
    },
    /// A file that would have been overwritten.
    #[error("{} exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A tensor of the caller that cannot be written or converted.
    #[error("tensor {name:?} {why}")]
    Given {
        /// Name of the tensor.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// What went wrong, before the file's name is added.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The system could not read or write.
    Io(io::Error),
    /// The bytes are wrong.
    Format(String),
    /// The file is something else.
    Mistaken(Mistaken),
}

/// A result whose error does not know the file's name yet.
pub(crate) type Outcome<T> = Result<T, Fault>;

/// An error about the bytes.
pub(crate) fn wrong<T>(why: impl Into<String>) -> Outcome<T> {
    Err(Fault::Format(why.into()))
}

impl From<io::Error> for Fault {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

impl Fault {
    /// Adds the file's name.
    pub(crate) fn at(self, path: impl Into<PathBuf>) -> PytorchFileError {
        let path = path.into();
        match self {
            Self::Io(source) => PytorchFileError::Io { path, source },
            Self::Format(why) => PytorchFileError::Format { path, why },
            Self::Mistaken(kind) => PytorchFileError::Mistaken { path, kind },
        }
    }
}
