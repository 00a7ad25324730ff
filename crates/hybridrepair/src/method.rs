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
    /// Which field pictures the consistency pass works on; `None` leaves that pass out.
    pub unlabelled: Option<Unlabelled>,
    /// One line for people.
    pub about: &'static str,
}

/// Which field pictures the consistency pass works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlabelled {
    /// Those whose unsmoothness is below the threshold, weighted, and the labelled ones (`HybridRepair`).
    Trusted,
    /// All that were not bought.
    Rest,
    /// All; the bought ones with their label as target.
    Whole,
}

/// The methods that `repair` and `compare` know (see `docs/fidelity.md`).
pub const METHODS: [Method; 10] = [
    Method {
        name: "no-repair",
        strategy: None,
        spread: false,
        unlabelled: None,
        about: "the deployed model after the replay fine-tune; no label is bought",
    },
    baseline("random", "labels of random samples, supervised fine-tune"),
    baseline("gini", "labels of the samples with the largest Gini impurity, supervised fine-tune"),
    baseline("mcp", "labels near the decision boundaries of all class pairs, supervised fine-tune"),
    baseline("coreset", "labels that cover the feature space, supervised fine-tune"),
    baseline("badge", "labels with large and diverse gradients, supervised fine-tune"),
    semi_supervised(
        "ssl-random",
        "random",
        Unlabelled::Rest,
        "labels of random samples, semi-supervised fine-tune on all other field images",
    ),
    semi_supervised(
        "ssl-consistency",
        "consistency",
        Unlabelled::Rest,
        "labels where the predictions over augmented views vary most, semi-supervised fine-tune on the others",
    ),
    semi_supervised(
        "ssl-consistency-imp",
        "consistency",
        Unlabelled::Whole,
        "as ssl-consistency, on all field images, the bought labels as targets among them",
    ),
    Method {
        name: "hybrid",
        strategy: Some("hybrid"),
        spread: true,
        unlabelled: Some(Unlabelled::Trusted),
        about: "one label per failure region, spread over the region, semi-supervised fine-tune (HybridRepair)",
    },
];

const fn baseline(name: &'static str, about: &'static str) -> Method {
    Method { name, strategy: Some(name), spread: false, unlabelled: None, about }
}

const fn semi_supervised(
    name: &'static str,
    strategy: &'static str,
    unlabelled: Unlabelled,
    about: &'static str,
) -> Method {
    Method { name, strategy: Some(strategy), spread: false, unlabelled: Some(unlabelled), about }
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
        match (self.strategy, self.unlabelled) {
            (None, _) => "none",
            (_, Some(_)) => "published",
            (_, None) => "supervised",
        }
    }

    /// Whether the threshold on unsmoothness is used.
    pub fn trusts(&self) -> bool {
        self.unlabelled == Some(Unlabelled::Trusted)
    }
}
