use super::{Counters, Rules, icse21::GOOD};
use crate::{
    Finding, History, Problem, Thresholds,
    reading::largest,
    symptoms::{
        abnormal_activation, exploding, improper_loss, improper_output, largest_gain, non_finite, paired_swings,
        vanishing, zero_entries,
    },
};

/// The rules of the extended study (2023): output activation, loss and data are judged too, and judgement waits for the
/// first check at which layer outputs were taken.
#[expect(clippy::struct_excessive_bools, reason = "what the published rules remember is a set of flags")]
#[derive(Debug)]
pub struct Extended23 {
    t: Thresholds,
    interval: usize,
    counters: Counters,
    broken: Option<String>,
    negative: bool,
    not_converge: bool,
    no_gain: bool,
    unstable: bool,
    /// Whether a flag was set at an earlier check, from which on layer outputs are taken.
    outputs: bool,
    half_way: bool,
}

/// A loss that counts as not finite.
const LARGE_LOSS: f64 = 1e3;

impl Extended23 {
    /// Nothing seen yet.
    pub fn new(t: Thresholds, interval: usize) -> Self {
        Self {
            t,
            interval,
            counters: Counters::default(),
            broken: None,
            negative: false,
            not_converge: false,
            no_gain: false,
            unstable: false,
            outputs: false,
            half_way: false,
        }
    }

    fn curves(&mut self, history: &History<'_>) {
        let (train, val) = (history.train_acc(), history.val_acc());
        let good = self.t.good.unwrap_or(GOOD);
        self.not_converge |= largest(&val) < good && largest(&train) < good;
        self.no_gain |= largest_gain(&train) < self.t.gain && largest_gain(&val) < self.t.gain;
        let swings = paired_swings(&train, self.t.swing);
        self.unstable |= swings.count as f64 >= self.t.swing_rate * train.len() as f64;
    }

    /// All clauses that hold, the most urgent first.
    fn clauses(&self, history: &History<'_>) -> Option<(Problem, String)> {
        let (probe, output) = (history.probe(), history.facts.output);
        let improper = output.and_then(|o| improper_output(o, probe, &self.t));
        let data = probe.and_then(|p| abnormal_activation(p, &self.t)).filter(|_| improper.is_none());
        let sign = |of: Option<String>| of.unwrap_or_else(|| "seen at an earlier check".to_owned());
        if let Some(said) = &data {
            return Some((Problem::AbnormalData, said.clone()));
        }
        let stuck = self.not_converge || self.no_gain;
        if self.negative {
            return Some((Problem::WrongLoss, "a loss is below 0".to_owned()));
        }
        if let Some(said) = improper.clone().filter(|_| self.broken.is_some() || stuck || self.unstable) {
            return Some((Problem::OutputActivation, said));
        }
        if let Some(said) = output.and_then(improper_loss).filter(|_| improper.is_none()) {
            return Some((Problem::WrongLoss, said));
        }
        if let Some(said) = &self.broken {
            return Some((Problem::ExplodingGradient, said.clone()));
        }
        if stuck {
            let (c, t) = (&self.counters, &self.t);
            if c.dead >= t.checks {
                return Some((Problem::DyingRelu, sign(probe.and_then(|p| zero_entries(p, t)))));
            }
            if c.explode >= t.checks {
                return Some((Problem::ExplodingGradient, sign(probe.and_then(|p| exploding(p, t)))));
            }
            if c.vanish >= t.checks {
                return Some((Problem::VanishingGradient, sign(probe.and_then(|p| vanishing(p, t)))));
            }
            if self.not_converge && self.no_gain {
                let best = largest(&history.val_acc());
                let said = format!("no epoch gained {:.3}; validation accuracy is at most {best:.3}", t.gain);
                return Some((Problem::SlowConvergence, said));
            }
        }
        self.unstable.then(|| {
            let swings = paired_swings(&history.train_acc(), self.t.swing);
            (Problem::Oscillation, format!("training accuracy swung {} times", swings.count))
        })
    }
}

impl Rules for Extended23 {
    fn check(&mut self, history: &History<'_>) -> Option<Finding> {
        let last = history.last()?;
        let (epoch, total) = (last.epoch as f64, history.facts.epochs as f64);
        if last.epoch % self.interval != 0 && !last.diverged {
            return None;
        }
        self.counters.update(history, &self.t);
        let large = self.t.large_loss.unwrap_or(LARGE_LOSS);
        let above = history.readings.iter().any(|r| r.train.loss >= large || r.val.loss >= large);
        let now = non_finite(history, large).or_else(|| above.then(|| format!("a loss is above {large}")));
        // what was set before this check decides whether it is a judgement
        let mut judged = self.outputs;
        if !self.half_way && epoch >= 0.5 * total {
            (self.half_way, judged) = (true, true);
        }
        self.broken = self.broken.take().or(now);
        self.negative |= history.readings.iter().any(|r| r.train.loss < 0.0 || r.val.loss < 0.0);
        if self.broken.is_none() && epoch >= self.t.judge_from * total - self.interval as f64 {
            self.curves(history);
        }
        self.outputs |= self.negative || self.broken.is_some() || self.no_gain;
        // a training that broke off has no later check
        if !judged && !last.diverged {
            return None;
        }
        let (problem, evidence) = self.clauses(history)?;
        Some(Finding { problem, epoch: last.epoch, since: last.epoch, evidence })
    }
}
