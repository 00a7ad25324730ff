//! Short trainings and what they show.

use crate::LayerGain;
use serde::{Deserialize, Serialize};

/// What a probe trains with; all else is the same in every probe of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Learning rate: the highest of the probe.
    pub lr: f64,
    /// Weight decay; `None` for the recipe's own.
    pub wd: Option<f64>,
    /// Added to the recipe's seed.
    pub seed: u64,
}

impl Point {
    /// A rate with the recipe's weight decay and seed.
    pub fn rate(lr: f64) -> Self {
        Self { lr, wd: None, seed: 0 }
    }
}

/// What an epoch of a probe showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeEpoch {
    /// Share of the layers' sides without signal, in [0, 1]; `None` where it was not read.
    pub z: Option<f64>,
    /// Both sides of every layer, where they were read.
    pub layers: Vec<LayerGain>,
    /// Mean training loss.
    pub loss: f64,
    /// Training accuracy in [0, 1] and top-5 accuracy, where they were counted.
    pub train_acc: Option<[f64; 2]>,
    /// Loss on pictures held out from training, where there were any.
    pub val_loss: Option<f64>,
    /// Accuracy on them, in [0, 1], and top-5 accuracy.
    pub val_acc: Option<[f64; 2]>,
}

/// A finished short training.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// With what.
    pub point: Point,
    /// Loss before the first step; from scratch at most that of answering with the class frequencies.
    pub start_loss: f64,
    /// Every epoch that was finished.
    pub epochs: Vec<ProbeEpoch>,
    /// Epochs that were asked for: more than were finished when training diverged.
    pub planned: usize,
    /// Seconds it took.
    pub seconds: f64,
}

impl Probe {
    /// Whether all epochs were trained and the loss stayed finite.
    pub fn finite(&self) -> bool {
        self.planned > 0 && self.epochs.len() == self.planned && self.loss().is_finite()
    }

    /// Z: mean share of silent sides over the epochs. An epoch that was not reached counts as the one before it, as in the
    /// published code, or as 1 at the start.
    pub fn z(&self) -> f64 {
        let mut last = 1.0;
        let mut sum = 0.0;
        for epoch in 0..self.planned {
            last = self.epochs.get(epoch).and_then(|e| e.z).unwrap_or(last);
            sum += last;
        }
        sum / self.planned.max(1) as f64
    }

    /// Training loss of the last epoch; infinite when training diverged.
    pub fn loss(&self) -> f64 {
        match self.epochs.last() {
            Some(last) if self.epochs.len() == self.planned && last.loss.is_finite() => last.loss,
            _ => f64::INFINITY,
        }
    }

    /// Accuracy of the last epoch on held-out pictures; 0 when training diverged.
    pub fn accuracy(&self) -> f64 {
        self.epochs.last().filter(|_| self.finite()).and_then(|e| e.val_acc).map_or(0.0, |a| a[0])
    }

    /// Loss of the last epoch on held-out pictures; infinite when training diverged or nothing was held out.
    pub fn held_out_loss(&self) -> f64 {
        let loss = self.epochs.last().filter(|_| self.finite()).and_then(|e| e.val_loss);
        loss.filter(|l| l.is_finite()).unwrap_or(f64::INFINITY)
    }
}

/// zeta: the product of some Z to the power of 0.8. Below [`PLATEAU`] the published searches speak of a plateau.
pub fn zeta(z: &[f64]) -> f64 {
    z.iter().product::<f64>().powf(0.8)
}

/// See [`zeta`].
pub const PLATEAU: f64 = 5e-3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diverged_probe_repeats_its_last_reading_and_has_no_loss() {
        let epoch = |z, loss| ProbeEpoch { z: Some(z), loss, ..ProbeEpoch::default() };
        let mut probe = Probe {
            point: Point::rate(0.1),
            start_loss: 2.0,
            epochs: vec![epoch(1.0, 1.0), epoch(0.5, 0.5)],
            planned: 2,
            seconds: 0.0,
        };
        assert_eq!((probe.z(), probe.loss(), probe.finite()), (0.75, 0.5, true));
        probe.planned = 4;
        assert_eq!((probe.z(), probe.loss(), probe.finite()), (0.625, f64::INFINITY, false));
        probe.epochs.clear();
        assert_eq!((probe.z(), probe.accuracy()), (1.0, 0.0));
        assert!((zeta(&[0.5, 0.5]) - 0.25f64.powf(0.8)).abs() < 1e-12);
    }
}
