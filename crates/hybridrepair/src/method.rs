use crate::{Error, Trainer};

/// A whole pipeline by name: what is bought, how it is spread, and how the model is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its name on the command line and in tables.
    pub name: &'static str,
    /// The selection strategy; `None` buys nothing.
    pub strategy: Option<&'static str>,
    /// Whether a bought label is spread over its region.
    pub spread: bool,
    /// How the model is trained.
    pub trainer: Trainer,
    /// Which field pictures the published trainer's consistency pass works on.
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
pub const METHODS: [Method; 12] = [
    Method {
        name: "no-repair",
        strategy: None,
        spread: false,
        trainer: Trainer::None,
        unlabelled: None,
        about: "the deployed model after the replay fine-tune; no label is bought",
    },
    Method {
        name: "zero-label",
        strategy: None,
        spread: false,
        trainer: Trainer::ZeroLabel,
        unlabelled: None,
        about: "batch-norm statistics and class frequencies of the field put into the model; no label is bought",
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
        trainer: Trainer::Published,
        unlabelled: Some(Unlabelled::Trusted),
        about: "one label per failure region, spread over the region, semi-supervised fine-tune (HybridRepair)",
    },
    Method {
        name: "coverage",
        strategy: Some("unsmooth_coverage"),
        spread: false,
        trainer: Trainer::SoftMatch,
        unlabelled: None,
        about: "labels that cover what the model is unsure of, weak-to-strong training on all field images",
    },
];

const fn baseline(name: &'static str, about: &'static str) -> Method {
    Method { name, strategy: Some(name), spread: false, trainer: Trainer::Supervised, unlabelled: None, about }
}

const fn semi_supervised(
    name: &'static str,
    strategy: &'static str,
    unlabelled: Unlabelled,
    about: &'static str,
) -> Method {
    Method {
        name,
        strategy: Some(strategy),
        spread: false,
        trainer: Trainer::Published,
        unlabelled: Some(unlabelled),
        about,
    }
}

impl Method {
    /// The method of this name; `NAME+TRAINER` takes another trainer than its own, with the bought labels alone.
    ///
    /// # Errors
    /// When there is none; the message lists them.
    pub fn named(name: &str) -> Result<Self, Error> {
        let (base, trainer) = name.split_once('+').map_or((name, None), |(base, trainer)| (base, Some(trainer)));
        let method = METHODS.into_iter().find(|m| m.name == base).ok_or_else(|| {
            let known = METHODS.map(|m| m.name).join(", ");
            Error::Config(format!("unknown method {base:?}; known are {known}"))
        })?;
        trainer.map_or(Ok(method), |trainer| method.with(trainer.parse()?))
    }

    fn with(self, trainer: Trainer) -> Result<Self, Error> {
        if self.strategy.is_none() || !trainer.takes_labels() {
            let (name, trainer) = (self.name, trainer.name());
            return Err(Error::Config(format!(
                "method {name:?} cannot be trained by {trainer:?}: one of them takes no labels"
            )));
        }
        // regions and trust belong to the published trainer
        let published = trainer == Trainer::Published;
        let unlabelled = published.then(|| self.unlabelled.unwrap_or(Unlabelled::Trusted));
        Ok(Self { trainer, spread: self.spread && published, unlabelled, ..self })
    }

    /// Whether the threshold on unsmoothness is used.
    pub fn trusts(&self) -> bool {
        self.unlabelled == Some(Unlabelled::Trusted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_takes_another_trainer() {
        let m = Method::named("hybrid+softmatch").unwrap();
        assert_eq!((m.trainer, m.spread, m.unlabelled), (Trainer::SoftMatch, false, None));
        assert!(Method::named("random+published").unwrap().trusts());
        assert_eq!(Method::named("hybrid+published").unwrap(), Method::named("hybrid").unwrap());
        for wrong in ["no-repair+softmatch", "random+none", "random+magic", "magic", "random+"] {
            assert!(Method::named(wrong).is_err(), "{wrong}");
        }
    }
}
