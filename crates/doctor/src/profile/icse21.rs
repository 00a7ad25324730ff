use super::{Counters, Rules};
use crate::{
    Finding, History, Problem, Thresholds,
    reading::largest,
    symptoms::{exploding, largest_gain, non_finite, paired_swings, vanishing, zero_entries},
};

/// The rules of Zhang et al. (ICSE 2021) as their code has them: counters never fall, flags are never cleared.
#[expect(clippy::struct_excessive_bools, reason = "what the published rules remember is a set of flags")]
#[derive(Debug)]
pub struct Icse21 {
    t: Thresholds,
    interval: usize,
    counters: Counters,
    nan: bool,
    not_converge: bool,
    no_gain: bool,
    unstable: bool,
    flagged: Option<usize>,
}

/// A validation loss that counts as not finite.
const LARGE_LOSS: f64 = 1e5;
/// Accuracy that counts as good where nothing is given.
pub(super) const GOOD: f64 = 0.7;

impl Icse21 {
    /// Nothing seen yet.
    pub fn new(t: Thresholds, interval: usize) -> Self {
        let counters = Counters::default();
        Self { t, interval, counters, nan: false, not_converge: false, no_gain: false, unstable: false, flagged: None }
    }

    fn curves(&mut self, history: &History<'_>) {
        let (train, val) = (history.train_acc(), history.val_acc());
        let good = self.t.good.unwrap_or(GOOD);
        // `!(>=)` would make curves without accuracy converge
        self.not_converge |= largest(&val) < good || largest(&train) < good;
        self.no_gain |= largest_gain(&train) < self.t.gain && largest_gain(&val) < self.t.gain;
        let swings = paired_swings(&train, self.t.swing);
        self.unstable |= swings.count as f64 >= self.t.swing_rate * train.len() as f64;
        if self.not_converge || self.no_gain || self.unstable {
            self.flagged.get_or_insert(train.len() - 1);
        }
    }
}

impl Rules for Icse21 {
    fn check(&mut self, history: &History<'_>) -> Option<Finding> {
        let last = history.last()?;
        let epoch = last.epoch;
        // a training that broke off is seen at once
        if epoch % self.interval != 0 && !last.diverged {
            return None;
        }
        let broken = non_finite(history, self.t.large_loss.unwrap_or(LARGE_LOSS));
        self.nan |= broken.is_some();
        self.counters.update(history, &self.t);
        if !self.nan && epoch as f64 >= self.t.judge_from * history.facts.epochs as f64 {
            self.curves(history);
        }
        let found = |problem, since: Option<usize>, evidence: String| {
            Some(Finding { problem, epoch, since: since.unwrap_or(epoch).min(epoch), evidence })
        };
        if self.nan {
            return found(Problem::ExplodingGradient, None, broken.unwrap_or_default());
        }
        let c = &self.counters;
        let best = largest(&history.val_acc());
        let accuracy = format!("validation accuracy is at most {best:.3} after {} epochs", epoch + 1);
        let probe = history.probe();
        let say = |sign: Option<String>| {
            format!("{}; {accuracy}", sign.unwrap_or_else(|| "seen at an earlier check".to_owned()))
        };
        if self.not_converge || self.no_gain {
            if c.dead >= self.t.checks {
                found(Problem::DyingRelu, c.since, say(probe.and_then(|p| zero_entries(p, &self.t))))
            } else if c.explode >= self.t.checks {
                found(Problem::ExplodingGradient, c.since, say(probe.and_then(|p| exploding(p, &self.t))))
            } else if c.vanish >= self.t.checks {
                found(Problem::VanishingGradient, c.since, say(probe.and_then(|p| vanishing(p, &self.t))))
            } else if self.no_gain {
                found(Problem::SlowConvergence, self.flagged, format!("no epoch gained {:.3}; {accuracy}", self.t.gain))
            } else {
                None
            }
        } else if self.unstable {
            let swings = paired_swings(&history.train_acc(), self.t.swing);
            let text = format!(
                "training accuracy swung {} times by {:.3} on average in {} epochs",
                swings.count,
                swings.mean,
                epoch + 1
            );
            found(Problem::Oscillation, self.flagged, text)
        } else {
            None
        }
    }
}
