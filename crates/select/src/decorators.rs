//! What may follow a strategy's name.

use crate::{Balanced, Distinct, SelectError, Strategy};

/// Wraps a strategy, given what stands behind `=`; `None` when that cannot be read.
type Wrap = fn(Box<dyn Strategy>, Option<&str>) -> Option<Result<Box<dyn Strategy>, SelectError>>;

/// One line per decorator: its name, how it is written, what it makes.
const REGISTRY: &[(&str, &str, Wrap)] = &[
    ("balanced", "+balanced", |inner, value| match value {
        None => Some(Ok(Box::new(Balanced::new(inner)))),
        Some(_) => None,
    }),
    ("distinct", "+distinct[=DISTANCE]", |inner, value| {
        let distance = value.map_or(Some(Distinct::DISTANCE), |text| text.parse().ok())?;
        Some(Distinct::new(inner, distance).map(|s| Box::new(s) as Box<dyn Strategy>))
    }),
];

/// How decorators are written.
pub(crate) fn names() -> Vec<&'static str> {
    REGISTRY.iter().map(|(_, written, _)| *written).collect()
}

/// A strategy with the decorator of a word such as `distinct=0.1`; `None` when there is no such decorator.
pub(crate) fn decorate(inner: Box<dyn Strategy>, word: &str) -> Result<Option<Box<dyn Strategy>>, SelectError> {
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let Some((_, _, wrap)) = REGISTRY.iter().find(|(known, _, _)| *known == name) else { return Ok(None) };
    wrap(inner, value).transpose()
}
