use crate::WeightRef;
use hybridrepair_core::CoreError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What can go wrong between a model and its patch.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PatchError {
    /// A file that cannot be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {why}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A patch that belongs to another model.
    #[error("the patch belongs to the model {expected}, this file is {got}")]
    OtherModel {
        /// SHA-256 of the model that the patch was made for.
        expected: String,
        /// SHA-256 of the file.
        got: String,
    },
    /// A weight that does not have the value that the patch says.
    #[error("{weight} is {got}, the patch says {expected}")]
    OtherValue {
        /// The weight.
        weight: WeightRef,
        /// Its value in the file.
        got: f32,
        /// The value of the patch.
        expected: f32,
    },
    /// A weight that the model does not have.
    #[error("the model has no weight {0}")]
    NoWeight(WeightRef),
    /// Patches that give one weight different values, without a rule for it.
    #[error("{count} weights get different values from these patches, the first is {first}")]
    Conflict {
        /// How many.
        count: usize,
        /// The first of them.
        first: WeightRef,
    },
    /// Nothing to repair, or nothing to keep.
    #[error("{0}")]
    NoCase(String),
    /// A setting outside its range.
    #[error("{what} {value} {why}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// No admissible change is better than none.
    #[error("no patch is kept: {0}")]
    Refused(String),
    /// Arrays that do not fit.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A network that cannot be run, said by whoever runs it.
    #[error("{0}")]
    Network(String),
}

impl PatchError {
    pub(crate) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers hand over literals and errors alike")]
    pub(crate) fn format(path: &Path, why: impl ToString) -> Self {
        Self::Format { path: path.to_owned(), why: why.to_string() }
    }

    /// A setting outside its range.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over literals and numbers alike")]
    pub fn setting(what: &'static str, value: impl ToString, why: impl ToString) -> Self {
        Self::Setting { what, value: value.to_string(), why: why.to_string() }
    }
}
