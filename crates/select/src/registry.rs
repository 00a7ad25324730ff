use crate::{
    Badge, Consistency, Coreset, Entropy, Gini, GradientLength, Hybrid, Margin, MaxHerding, MaxSoftmax, Mcp, Power,
    Random, Rdss, SelectError, Strategy, TypiClust, UHerding, UnsmoothCoverage,
};

/// Makes a strategy with its default parameters.
type Make = fn() -> Box<dyn Strategy>;

/// One line per strategy.
const REGISTRY: &[(&str, Make)] = &[
    ("random", || Box::new(Random)),
    ("gini", || Box::new(Gini)),
    ("entropy", || Box::new(Entropy)),
    ("margin", || Box::new(Margin)),
    ("max_softmax", || Box::new(MaxSoftmax)),
    ("mcp", || Box::new(Mcp)),
    ("coreset", || Box::new(Coreset { cover_source: false })),
    ("coreset_source", || Box::new(Coreset { cover_source: true })),
    ("badge", || Box::new(Badge)),
    ("consistency", || Box::new(Consistency)),
    ("power_entropy", || Box::new(Power::of(Entropy))),
    ("power_margin", || Box::new(Power::of(Margin))),
    ("power_gini", || Box::new(Power::of(Gini))),
    ("power_badge", || Box::new(Power::of(GradientLength))),
    ("maxherding", || Box::new(MaxHerding::default())),
    ("uherding", || Box::new(UHerding::default())),
    ("unsmooth_coverage", || Box::new(UnsmoothCoverage::default())),
    ("typiclust", || Box::new(TypiClust::default())),
    ("rdss", || Box::new(Rdss::default())),
    ("hybrid", || Box::new(Hybrid)),
];

/// The strategy of this name with its default parameters. `-` and `_` mean the same.
///
/// # Errors
/// [`SelectError::Unknown`] lists the known names.
///
/// ```
/// assert_eq!(hybridrepair_select::strategy("max-softmax")?.name(), "max_softmax");
/// let unknown = hybridrepair_select::strategy("best").err().map(|e| e.to_string());
/// assert!(unknown.is_some_and(|message| message.contains("random, gini")));
/// # Ok::<(), hybridrepair_select::SelectError>(())
/// ```
pub fn strategy(name: &str) -> Result<Box<dyn Strategy>, SelectError> {
    let wanted = name.replace('-', "_");
    match REGISTRY.iter().find(|(known, _)| *known == wanted) {
        Some((_, make)) => Ok(make()),
        None => Err(SelectError::Unknown { given: name.to_owned(), known: names().join(", ") }),
    }
}

/// The names of all strategies.
pub fn names() -> Vec<&'static str> {
    REGISTRY.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_the_strategy_of_that_name() {
        for name in names() {
            assert_eq!(strategy(name).unwrap().name(), name);
        }
    }
}
