use thiserror::Error;

/// What can go wrong while a rate is looked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TuneError {
    /// A setting outside its range.
    #[error("{what} {given} {why}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A search that is not known.
    #[error("unknown method {given:?}; known are {known}")]
    Method {
        /// What was asked for.
        given: String,
        /// All names.
        known: String,
    },
    /// A weight whose numbers and shape do not fit.
    #[error("weight {name:?} has {values} numbers and the shape {shape:?}")]
    Shape {
        /// The weight.
        name: String,
        /// Its numbers.
        values: usize,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A network without a weight that could be read.
    #[error("no weight of the network has at least {rows} rows and columns, so no structure can be read from it")]
    NoLayers {
        /// The least that is needed.
        rows: usize,
    },
    /// No rate can be taken.
    #[error("no learning rate is taken: {0}")]
    Refused(String),
    /// A trial that failed for another reason than its rate, said by whoever trains.
    #[error("{0}")]
    Probe(String),
}

impl TuneError {
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over literals and numbers alike")]
    pub(crate) fn setting(what: &'static str, given: impl ToString, why: &'static str) -> Self {
        Self::Setting { what, given: given.to_string(), why }
    }
}
