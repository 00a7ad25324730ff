use hybridrepair_core::SampleId;
use std::fmt;

/// Which picture an answer is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sample {
    /// By the number that the export gave it.
    Id(SampleId),
    /// By its file: the whole path, or enough of its end to be the only one.
    File(String),
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "sample {id}"),
            Self::File(name) => write!(f, "file {name:?}"),
        }
    }
}

/// One answer of a file, or a place for one.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The picture.
    pub sample: Sample,
    /// Name or number of its class, as written; `None` where nobody has answered yet.
    pub label: Option<String>,
    /// Who answered.
    pub annotator: Option<String>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// What it cost, in labels.
    pub cost: Option<f64>,
    /// When it was given (ISO 8601).
    pub answered: Option<String>,
    /// Where it stands in its file: the line, or the number of the task or picture, counted from 1; 0 for a row that was
    /// not read from a file.
    pub line: u64,
}

impl Row {
    /// A row without an answer.
    pub fn unanswered(id: SampleId) -> Self {
        let sample = Sample::Id(id);
        Self { sample, label: None, annotator: None, seconds: None, cost: None, answered: None, line: 0 }
    }
}

/// A trimmed value, `None` when empty.
pub(super) fn filled(value: Option<&str>) -> Option<String> {
    value.map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned)
}

/// Seconds or a cost that is finite and not negative.
pub(super) fn possible(what: &str, value: Option<f64>) -> Result<Option<f64>, String> {
    match value {
        Some(v) if !v.is_finite() || v < 0.0 => Err(format!("{what} {v} is impossible")),
        value => Ok(value),
    }
}

/// An id that is a whole number, or nothing.
pub(super) fn sample_id(text: &str) -> Result<SampleId, String> {
    text.trim().parse().map(SampleId).map_err(|_| format!("id {text:?} is not a number from 0"))
}
