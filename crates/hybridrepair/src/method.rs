use crate::Error;

/// A whole pipeline by name: what is bought, how it is spread, and how the model is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name on the command line and in tables.
    pub name: &'static str,
    /// The selection strategy; `None` buys nothing.
    pub strategy: Option<&'static str>,
    /// Whether a bought label is spread over its region.
    pub spread: bool,
    /// Whether the consistency pass runs.
    pub consistency: bool,
    /// One line for people.
    pub about: &'static str,
}

/// The methods that `repair` and `compare` know (see `docs/fidelity.md`).
pub const METHODS: [Method; 7] = [
    Method {
        name: "no-repair",
        strategy: None,
        spread: false,
        consistency: false,
        about: "the deployed model after the replay fine-tune; no label is bought",
    },
    baseline("random", "labels of random samples, supervised fine-tune"),
    baseline("gini", "labels of the samples with the largest Gini impurity, supervised fine-tune"),
    baseline("mcp", "labels near the decision boundaries of all class pairs, supervised fine-tune"),
    baseline("coreset", "labels that cover the feature space, supervised fine-tune"),
    baseline("badge", "labels with large and diverse gradients, supervised fine-tune"),
    Method {
        name: "hybrid",
        strategy: Some("hybrid"),
        spread: true,
        consistency: true,
        about: "one label per failure region, spread over the region, semi-supervised fine-tune (HybridRepair)",
    },
];

const fn baseline(name: &'static str, about: &'static str) -> Method {
    Method { name, strategy: Some(name), spread: false, consistency: false, about }
}

impl Method {
    /// The method of this name.
    ///
    /// # Errors
    /// When there is none; the message lists them.
    pub fn named(name: &str) -> Result<Self, Error> {
        METHODS.into_iter().find(|m| m.name == name).ok_or_else(|| {
            let known = METHODS.map(|m| m.name).join(", ");
            Error::Config(format!("unknown method {name:?}; known are {known}"))
        })
    }

    /// Name of the training objective in `summary.json`.
    pub fn trainer(&self) -> &'static str {
        match (self.strategy, self.consistency) {
            (None, _) => "none",
            (_, true) => "published",
            (_, false) => "supervised",
        }
    }
}
