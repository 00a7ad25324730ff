//! What Z cannot see: whether the network learns.

use crate::Probe;

/// Refuses rates at which training does not bring the loss down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guard {
    /// The last epoch's loss must be below this share of the loss before training.
    pub fall: f64,
    /// And at most this many times the smallest loss of all probes.
    pub of_best: f64,
}

impl Default for Guard {
    fn default() -> Self {
        Self { fall: 0.98, of_best: 2.0 }
    }
}

impl Guard {
    /// Why the probe's rate must not be taken, seen by itself.
    pub fn alone(&self, probe: &Probe) -> Option<String> {
        if !probe.finite() {
            return Some(format!("training diverged in epoch {}", probe.epochs.len() + 1));
        }
        let (loss, start) = (probe.loss(), probe.start_loss);
        (loss >= self.fall * start)
            .then(|| format!("does not learn: the loss is {loss:.3} after {} epochs and was {start:.3}", probe.planned))
    }

    /// Why it must not be taken, seen beside the smallest loss of all probes.
    pub fn objection(&self, probe: &Probe, best: f64) -> Option<String> {
        self.alone(probe).or_else(|| {
            let loss = probe.loss();
            (loss > self.of_best * best)
                .then(|| format!("learns too little: the loss is {loss:.3}, another rate comes to {best:.3}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Point, ProbeEpoch};

    fn probe(losses: &[f64], planned: usize) -> Probe {
        let epochs = losses.iter().map(|&loss| ProbeEpoch { loss, ..ProbeEpoch::default() }).collect();
        Probe { point: Point::rate(0.1), start_loss: 2.3, epochs, planned, seconds: 0.0 }
    }

    #[test]
    fn chance_divergence_and_slowness_are_named() {
        let guard = Guard::default();
        assert_eq!(guard.objection(&probe(&[1.5, 0.6], 2), 0.4), None);
        assert!(guard.objection(&probe(&[2.31, 2.30], 2), 0.4).unwrap().starts_with("does not learn"));
        assert!(guard.objection(&probe(&[2.0], 2), 0.4).unwrap().contains("diverged in epoch 2"));
        assert!(guard.objection(&probe(&[2.0, f64::NAN], 2), 0.4).unwrap().contains("diverged"));
        assert!(guard.objection(&probe(&[1.5, 0.9], 2), 0.4).unwrap().starts_with("learns too little"));
    }
}
