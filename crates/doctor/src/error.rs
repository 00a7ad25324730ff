use thiserror::Error;

/// What can go wrong while a training is watched and repaired.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DoctorError {
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
    /// A network that cannot be built.
    #[error("net: {0}")]
    Net(String),
    /// Training failed for a reason that is no training problem; said by whoever trains.
    #[error("{0}")]
    Trainer(String),
    /// Training was interrupted; what was done so far is in the journal.
    #[error("interrupted")]
    Interrupted,
}

impl DoctorError {
    /// A setting outside its range.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over literals and numbers alike")]
    pub fn setting(what: &'static str, value: impl ToString, why: impl ToString) -> Self {
        Self::Setting { what, value: value.to_string(), why: why.to_string() }
    }
}
