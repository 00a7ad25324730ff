use hybridrepair_doctor::{Facts, Finding, History, Mode, MonitorSettings, ProfileName, Reading, Rules, rules};
use hybridrepair_train::Verdict;

/// Rows of a probe at most, and at least where there are so many.
const MOST_ROWS: usize = 256;
const LEAST_ROWS: usize = 32;
/// Share of the samples between two checks that a probe may take.
const PROBE_SHARE: f64 = 0.004;

/// Readings of a training and the rules that judge them.
pub struct Monitor {
    settings: MonitorSettings,
    mode: Mode,
    facts: Facts,
    rules: Box<dyn Rules>,
    /// All readings so far.
    pub readings: Vec<Reading>,
    /// All problems so far, each once.
    pub findings: Vec<Finding>,
}

impl Monitor {
    /// Nothing seen yet.
    pub fn new(settings: &MonitorSettings, mode: Mode, facts: Facts) -> Self {
        let (settings, rules) = (settings.clone(), rules(settings));
        Self { settings, mode, facts, rules, readings: Vec::new(), findings: Vec::new() }
    }

    /// What the rules know beside the readings.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether a probe is wanted after this epoch.
    pub fn due(&self, epoch: usize) -> bool {
        let checked = epoch.is_multiple_of(self.settings.interval) || epoch + 1 == self.facts.epochs;
        checked && self.mode != Mode::Off
    }

    /// Rows of the probe, for steps of so many: the published profiles take the first batch, ours some batches, but no more
    /// than a small share of the training.
    pub fn rows(&self, batch_size: usize) -> usize {
        let batch = batch_size.min(self.facts.train_samples);
        if self.settings.profile != ProfileName::House {
            return batch;
        }
        let share = PROBE_SHARE * (self.facts.train_samples * self.settings.interval) as f64;
        let wish = (self.settings.batches * batch).min(share as usize);
        wish.clamp(LEAST_ROWS, MOST_ROWS).min(self.facts.train_samples)
    }

    /// Takes a reading. Says how training goes on, and the problem, if it is a new one.
    pub fn see(&mut self, reading: Reading) -> (Verdict, Option<Finding>) {
        self.readings.push(reading);
        if self.mode == Mode::Off {
            return (Verdict::Continue, None);
        }
        let history = History { facts: &self.facts, readings: &self.readings };
        let Some(finding) = self.rules.check(&history) else { return (Verdict::Continue, None) };
        let verdict = if self.mode == Mode::Watch { Verdict::Continue } else { Verdict::Stop };
        // a problem that goes on is told once
        if self.findings.iter().any(|f| f.problem == finding.problem) {
            return (verdict, None);
        }
        self.findings.push(finding.clone());
        (verdict, Some(finding))
    }
}
