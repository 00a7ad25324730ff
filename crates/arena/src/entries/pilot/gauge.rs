/// What the losses of the gradients tell of the average: when a probe is worth its price.
pub(super) struct Gauge {
    batch: f64,
    examples: f64,
    target: f64,
    probe_work: f64,
    share: f64,
    sum: f64,
    weight: f64,
    first: Option<f64>,
    gap: f64,
    last: f64,
    since_probe: f64,
}

/// Share of a pass over which losses are smoothed.
const WINDOW: f64 = 0.25;
/// Least share of a pass between two probes.
const PAUSE: f64 = 0.1;
/// Share of the work so far after which a probe is made whatever the losses tell, but not before a whole pass.
const SELDOM: f64 = 0.1;
/// A probe within this factor of the target is followed by others, since the next one may be below it by chance...
const NEAR: f64 = 1.15;
/// ...as often as they cost no more than this share of the work.
const SPEND: f64 = 0.12;
/// A loss above so many times the first one has run away.
const TOO_HIGH: f64 = 2.0;

impl Gauge {
    pub(super) fn new(batch: f64, examples: f64, target: f64, probe_work: f64) -> Self {
        let share = (batch / (WINDOW * examples)).min(0.5);
        Self {
            batch,
            examples,
            target,
            probe_work,
            share,
            sum: 0.0,
            weight: 0.0,
            first: None,
            gap: 0.0,
            last: f64::INFINITY,
            since_probe: 0.0,
        }
    }

    pub(super) fn note(&mut self, loss: f64) {
        self.first.get_or_insert(loss);
        self.sum += self.share * (loss - self.sum);
        self.weight += self.share * (1.0 - self.weight);
        self.since_probe += self.batch;
    }

    /// The smoothed loss.
    fn seen(&self) -> f64 {
        self.sum / self.weight
    }

    pub(super) fn ran_away(&self) -> bool {
        // a few losses are no trend
        self.weight > 0.5 && self.first.is_some_and(|first| self.seen() > TOO_HIGH * first)
    }

    /// Whether to probe now, after so much work.
    pub(super) fn due(&self, work: f64) -> bool {
        let pause = PAUSE * self.examples;
        let told = self.seen() + self.gap < self.target && self.since_probe >= pause;
        let near = self.last < NEAR * self.target && self.since_probe >= pause.max(self.probe_work / SPEND);
        told || near || self.since_probe >= (SELDOM * work).max(self.examples)
    }

    pub(super) fn probed(&mut self, found: f64) {
        (self.last, self.gap, self.since_probe) = (found, found - self.seen(), 0.0);
    }

    /// Forgets the losses of a flight that is over; what the first one was stays known.
    pub(super) fn restart(&mut self) {
        (self.sum, self.weight, self.since_probe) = (0.0, 0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flown(target: f64, batches: usize) -> Gauge {
        let mut gauge = Gauge::new(16.0, 640.0, target, 100.0);
        (0..batches).for_each(|_| gauge.note(2.0));
        gauge
    }

    #[test]
    fn probes_are_made_near_the_target_and_seldom_elsewhere() {
        assert!(!flown(1.0, 39).due(0.0));
        let mut far = flown(1.0, 40);
        assert!(far.due(0.0), "a whole pass");
        assert!(!far.due(10_000.0), "a tenth of the work is not flown yet");
        far.probed(2.5);
        assert_eq!(far.gap, 0.5);
        for (target, due) in [(2.6, true), (2.5, false)] {
            let mut gauge = flown(target, 40);
            (gauge.gap, gauge.since_probe) = (0.5, 64.0);
            assert_eq!(gauge.due(0.0), due, "the gap counts");
        }
        let mut near = flown(2.0, 40);
        near.probed(2.2);
        near.since_probe = 500.0;
        assert!(!near.due(0.0), "a probe of 100 is too dear after 500");
        near.since_probe = 840.0;
        assert!(near.due(100_000.0));
    }
}
