use super::{Assignment, Design, Family, calibrate};
use crate::{ArenaError, Entries};
use hybridrepair_core::{Stream, Streams};
use rand::{Rng, seq::SliceRandom};
use serde::{Deserialize, Serialize};

/// Tasks of the suite.
const TASKS: usize = 20;

/// A task of the suite: what it is, and what to reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variation {
    /// Name.
    pub name: String,
    /// What it is.
    pub design: Design,
    /// The target loss.
    pub target: f64,
}

/// Twenty variations of the samples that nobody has seen before their seed was drawn.
///
/// Families in turn; width, depth, label noise, input scale and data drawn by the seed; never more parameters than the
/// sample has. The target is what the baseline reaches ([`calibrate`]); a variation on which the baseline is not
/// reliable is drawn again. `said` is told of every task.
///
/// # Errors
/// When data cannot be made, or no variation of a family has a reliable baseline.
pub fn variations(
    seed: u64,
    entries: &Entries,
    baseline: &str,
    said: &mut dyn FnMut(&str),
) -> Result<Vec<Variation>, ArenaError> {
    let streams = Streams::new(seed);
    (0..TASKS)
        .map(|number| {
            let family = Family::ALL[number % Family::ALL.len()];
            let mut stream = streams.at("arena.hidden", number as u64, 0);
            variation(family, format!("h{:02}-{}", number + 1, family.name()), entries, baseline, &mut stream, said)
        })
        .collect()
}

/// The tasks of [`variations`].
///
/// # Errors
/// As [`variations`].
pub fn hidden(
    seed: u64,
    entries: &Entries,
    baseline: &str,
    said: &mut dyn FnMut(&str),
) -> Result<Vec<Assignment>, ArenaError> {
    let all = variations(seed, entries, baseline, said)?;
    all.iter().map(|v| Assignment::designed(&v.name, &v.design, v.target)).collect()
}

/// Draws until the baseline is reliable.
fn variation(
    family: Family,
    name: String,
    entries: &Entries,
    baseline: &str,
    stream: &mut Stream,
    said: &mut dyn FnMut(&str),
) -> Result<Variation, ArenaError> {
    const TRIES: usize = 20;
    for tried in 1.. {
        let design = draw(family, stream);
        let task = Assignment::designed(&name, &design, f64::NEG_INFINITY)?;
        match calibrate(&task, entries, baseline) {
            Ok(calibration) => {
                said(&format!("{name}: target {:.3}; {design}", calibration.target));
                return Ok(Variation { name, design, target: calibration.target });
            }
            Err(error @ ArenaError::Unreliable { .. }) if tried < TRIES => {
                said(&format!("drawn again: {error}; {design}"));
            }
            Err(error) => return Err(error),
        }
    }
    unreachable!("the last try returns")
}

/// A variation that is no larger than its sample.
fn draw(family: Family, stream: &mut Stream) -> Design {
    loop {
        let design = Design {
            family,
            width: *[0.5, 1.0, 2.0].choose(stream).unwrap_or(&1.0),
            depth: stream.gen_range(-1..=1),
            label_noise: if stream.r#gen() { 0.1 } else { 0.0 },
            input_scale: if stream.r#gen() { 10.0 } else { 1.0 },
            data_seed: stream.gen_range(1..1 << 40),
        };
        if design.fits() {
            return design;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variations_fit_and_follow_from_the_seed() {
        let drawn = |seed: u64| -> Vec<Design> {
            let mut stream = Streams::new(seed).named("test");
            Family::ALL.iter().cycle().take(40).map(|&f| draw(f, &mut stream)).collect()
        };
        let designs = drawn(1);
        assert_eq!(designs, drawn(1));
        assert_ne!(designs, drawn(2));
        assert!(designs.iter().all(Design::fits));
        for family in Family::ALL {
            let of = designs.iter().filter(|d| d.family == family);
            assert!(
                of.clone().count() >= 5
                    && of.map(|d| d.data_seed).collect::<std::collections::BTreeSet<_>>().len() >= 5
            );
        }
        assert!(designs.iter().any(|d| d.width == 2.0) && designs.iter().any(|d| d.depth == 1));
    }
}
