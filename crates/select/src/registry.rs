use crate::{
    Badge, Clue, Consistency, Coreset, DCom, Datis, Entropy, Gini, GradientLength, Hybrid, Margin, MaxHerding,
    MaxSoftmax, Mcp, Power, ProbCover, Random, Rdss, SelectError, Strategy, TypiClust, UHerding, UnsmoothCoverage, Usl,
    decorators,
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
    ("clue", || Box::new(Clue::default())),
    ("datis", || Box::new(Datis::default())),
    ("maxherding", || Box::new(MaxHerding::default())),
    ("uherding", || Box::new(UHerding::default())),
    ("unsmooth_coverage", || Box::new(UnsmoothCoverage::default())),
    ("probcover", || Box::new(ProbCover::default())),
    ("dcom", || Box::new(DCom::default())),
    ("typiclust", || Box::new(TypiClust::default())),
    ("usl", || Box::new(Usl::default())),
    ("rdss", || Box::new(Rdss::default())),
    ("hybrid", || Box::new(Hybrid)),
];

/// The strategy of this name with its default parameters, decorated as the name says. `-` and `_` mean the same.
///
/// A name is that of a strategy, followed by any of `+balanced` ([`Balanced`](crate::Balanced)) and `+distinct` or
/// `+distinct=DISTANCE` ([`Distinct`](crate::Distinct)); what stands farther right wraps what stands left of it: `margin+distinct+balanced` deals out, class by
/// class, picks that repeat nothing.
///
/// # Errors
/// [`SelectError::Unknown`] lists the known names, [`SelectError::Parameter`] refuses a distance.
///
/// ```
/// assert_eq!(hybridrepair_select::strategy("max-softmax")?.name(), "max_softmax");
/// assert_eq!(hybridrepair_select::strategy("badge+distinct=0.1+balanced")?.name(), "badge+distinct=0.1+balanced");
/// let unknown = hybridrepair_select::strategy("best").err().map(|e| e.to_string());
/// assert!(unknown.is_some_and(|message| message.contains("random, gini")));
/// # Ok::<(), hybridrepair_select::SelectError>(())
/// ```
pub fn strategy(name: &str) -> Result<Box<dyn Strategy>, SelectError> {
    let unknown = || SelectError::Unknown {
        given: name.to_owned(),
        known: format!("{}; each may be followed by {}", names().join(", "), decorators::names().join(", ")),
    };
    let mut words = name.split('+');
    let wanted = words.next().unwrap_or_default().replace('-', "_");
    let (_, make) = REGISTRY.iter().find(|(known, _)| *known == wanted).ok_or_else(unknown)?;
    words.try_fold(make(), |inner, word| decorators::decorate(inner, word)?.ok_or_else(unknown))
}

/// The names of all strategies, without decorators.
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
            for decorated in [format!("{name}+balanced"), format!("{name}+distinct"), format!("{name}+distinct=0.2")] {
                assert_eq!(strategy(&decorated).unwrap().name(), decorated);
            }
        }
    }

    #[test]
    fn what_is_not_known_is_said_with_what_is() {
        for bad in
            ["", "+", "gini+", "gini+best", "gini+balanced=3", "gini+distinct=", "gini+distinct=far", "+balanced"]
        {
            let error = strategy(bad).err().map(|e| e.to_string());
            assert!(error.is_some_and(|e| e.contains("+distinct[=DISTANCE]")), "{bad}");
        }
    }
}
