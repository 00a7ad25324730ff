//! From symptoms to a problem: three sets of rules.

mod extended23;
mod house;
mod house_thresholds;
mod icse21;

use crate::{Finding, History, MonitorSettings, ProfileName, Thresholds};
pub use extended23::Extended23;
pub use house::House;
pub use house_thresholds::HouseThresholds;
pub use icse21::Icse21;

/// Rules that see a training grow, one epoch after the other.
pub trait Rules: Send {
    /// Looks at the history after an epoch. It is called for every epoch in order; the rules know themselves at which of
    /// them they judge.
    fn check(&mut self, history: &History<'_>) -> Option<Finding>;
}

/// The rules of a profile, with nothing seen yet.
pub fn rules(settings: &MonitorSettings) -> Box<dyn Rules> {
    let (thresholds, interval) = (settings.thresholds.clone(), settings.interval);
    match settings.profile {
        ProfileName::Icse21 => Box::new(Icse21::new(thresholds, interval)),
        ProfileName::Extended23 => Box::new(Extended23::new(thresholds, interval)),
        ProfileName::House => Box::new(House::new(thresholds, interval)),
    }
}

/// Counts of gradient symptoms that never fall, as published.
#[derive(Debug, Default)]
struct Counters {
    vanish: usize,
    explode: usize,
    dead: usize,
    since: Option<usize>,
}

impl Counters {
    /// Counts what the probe shows, unless a gradient is not finite.
    fn update(&mut self, history: &History<'_>, t: &Thresholds) {
        use crate::symptoms::{exploding, vanishing, zero_entries};
        let Some(probe) = history.probe().filter(|p| p.finite_gradients) else { return };
        let (v, e, d) = (vanishing(probe, t), exploding(probe, t), zero_entries(probe, t));
        if v.is_some() || e.is_some() || d.is_some() {
            self.since.get_or_insert(history.readings.len() - 1);
        }
        self.vanish += usize::from(v.is_some());
        self.explode += usize::from(e.is_some());
        self.dead += usize::from(d.is_some());
    }
}

/// Replays rules on stored readings: every problem with the epoch at which it was reported. With `stop` only the first.
pub fn replay(facts: &crate::Facts, readings: &[crate::Reading], rules: &mut dyn Rules, stop: bool) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for n in 1..=readings.len() {
        let history = History { facts, readings: &readings[..n] };
        if let Some(finding) = rules.check(&history) {
            // a problem that goes on is told once
            if !found.iter().any(|f| f.problem == finding.problem) {
                found.push(finding);
            }
            if stop {
                break;
            }
        }
    }
    found
}
