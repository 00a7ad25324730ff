use crate::{Bias, FineTune, Fitness, Method, PatchError, Positives, Retrain, Sweep, localizer, search};

/// A repair by its name: how weights and values are found, what is maximised, and which right samples are watched.
#[derive(Debug)]
pub struct NamedMethod {
    /// How weights and values are found.
    pub method: Method,
    /// What is maximised.
    pub fitness: Fitness,
    /// Which right samples are watched.
    pub positives: Positives,
    /// Whether weights that bring nothing are put back ([`crate::RepairRequest::refine`]).
    pub refine: bool,
}

/// What all methods of a comparison share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MethodSettings {
    /// Weight of the wrong samples, for methods that are not as published.
    pub lambda: f64,
    /// Candidates per iteration.
    pub population: usize,
    /// Most iterations.
    pub iterations: usize,
    /// Which right samples methods watch that are not as published.
    pub positives: Positives,
}

/// Names and what they stand for, as [`named_method`] takes them.
pub const METHODS: [(&str, &str); 11] = [
    ("bias", "the bias of the class, swept"),
    ("finetune", "all weights of the layer, by gradient"),
    ("sparse", "50 weights of the layer, by gradient"),
    ("retrain", "all weights of the layer on all samples alike, then the bias of the class swept"),
    ("random", "15 weights by chance, particle swarm"),
    ("gradient", "the 15 weights with the largest gradient, particle swarm"),
    ("published", "Arachne v1 as the published experiment has it"),
    ("published2", "Arachne v2 as published: differential evolution, wrong samples ten times as heavy"),
    ("arachne", "weights of Arachne v1, corrected particle swarm"),
    ("arachne2", "weights of Arachne v2, corrected differential evolution"),
    ("combined", "weights of Arachne v2 and the bias, corrected particle swarm"),
];

/// Weights that [`FineTune`] keeps where a number is not given.
pub const SPARSE: usize = 50;

/// A method of a comparison by its name.
///
/// # Errors
/// Lists the known names.
pub fn named_method(name: &str, settings: &MethodSettings) -> Result<NamedMethod, PatchError> {
    let MethodSettings { lambda, population, iterations, positives } = *settings;
    let found = |l: &str, s: &str| -> Result<Method, PatchError> {
        Ok(Method::Search { localizer: localizer(l, None)?, search: search(s, population, iterations)? })
    };
    let ours = |method| NamedMethod { method, fitness: Fitness::Balanced { lambda }, positives, refine: true };
    let published = |method, fitness, positives| NamedMethod { method, fitness, positives, refine: false };
    Ok(match name {
        "bias" => {
            let search = Box::new(Sweep { steps: population * iterations });
            ours(Method::Search { localizer: Box::new(Bias), search })
        }
        "finetune" => ours(Method::FineTune(FineTune { lambda: Some(lambda), ..FineTune::default() })),
        "sparse" => {
            ours(Method::FineTune(FineTune { lambda: Some(lambda), keep: Some(SPARSE), ..FineTune::default() }))
        }
        "retrain" => {
            let fit = FineTune { steps: 100, ..FineTune::default() };
            ours(Method::Retrain(Retrain { fit, steps: population * iterations }))
        }
        "random" => ours(found("random", "pso")?),
        "gradient" => ours(found("gradient", "pso")?),
        "published" => {
            published(found("arachne1-published", "pso-published")?, Fitness::Ratio, Positives::Published(200))
        }
        "published2" => published(found("arachne2", "de-published")?, Fitness::Soft { alpha: 10.0 }, Positives::All),
        "arachne" => ours(found("arachne1", "pso")?),
        "arachne2" => ours(found("arachne2", "de")?),
        "combined" => ours(found("combined", "pso")?),
        other => {
            let known = METHODS.map(|(name, _)| name).join(", ");
            return Err(PatchError::setting("method", format!("{other:?}"), format!("is none of {known}")));
        }
    })
}

/// Whether a method draws no random numbers, so that another seed gives the same on the same samples.
pub fn seedless(method: &str) -> bool {
    matches!(method, "bias" | "finetune" | "sparse" | "retrain")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_a_method() {
        let settings = MethodSettings { lambda: 0.3, population: 8, iterations: 2, positives: Positives::All };
        for (name, about) in METHODS {
            let method = named_method(name, &settings).unwrap();
            assert_eq!(method.refine, !name.starts_with("published"), "{name}");
            assert!(!about.is_empty());
        }
        let refused = named_method("prayer", &settings).unwrap_err().to_string();
        assert!(refused.contains("prayer") && refused.contains("combined"), "{refused}");
    }
}
