use crate::DoctorError;
use serde::{Deserialize, Serialize};

/// Thresholds that only `house` has, as in `[monitor.thresholds.house]`.
///
/// "The way" is that of training accuracy from chance to 1, averaged over the last third of the curve. A training has stalled
/// when its loss falls by less than `stalled` from the last quarter but one to the last, and it is not near `arrived`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HouseThresholds {
    /// Share of dead units in a layer that stops learning; the published share is one of gradient entries.
    pub dead_units: f64,
    /// Fall of the training loss over the last quarter against the one before it that says: it would have gone on.
    pub still_falling: f64,
    /// The same, once training accuracy is half-way from what is good to 1.
    pub falling_far: f64,
    /// A smaller fall than this, below `arrived`: training goes nowhere, and has not arrived.
    pub stalled: f64,
    /// Training accuracy at which nothing is left to learn.
    pub arrived: f64,
    /// Size of a swing of validation accuracy in its standard errors: its samples are few, and there are many checks.
    pub val_errors: f64,
    /// A rise of the training loss, in nats, that no sound training has twice after its first third. Swings of training accuracy
    /// count where it has one.
    pub loss_rise: f64,
    /// Rise of the training loss, as a share of it, that is a swing. It is the loss of the same samples every time.
    pub loss_swing: f64,
    /// Share of the way up to which such rises count: further on, losses are small and their noise large.
    pub half_way: f64,
    /// A training that ends before this share of the way has not learned what there is to learn.
    pub far: f64,
    /// The same for one that has stalled after its gradient had vanished at first, or whose loss still falls fast.
    pub far_after: f64,
    /// Share of the epochs after which slowness is a problem by itself: a sound network can sit on its first plateau for half
    /// of them.
    pub late: f64,
}

impl Default for HouseThresholds {
    fn default() -> Self {
        Self {
            dead_units: 0.9,
            still_falling: 0.2,
            falling_far: 0.25,
            stalled: 0.1,
            arrived: 0.9,
            val_errors: 2.5,
            loss_rise: 0.12,
            loss_swing: 0.06,
            half_way: 0.5,
            far: 0.55,
            far_after: 0.75,
            late: 0.6,
        }
    }
}

impl HouseThresholds {
    /// Checks every threshold.
    ///
    /// # Errors
    /// Names the first that cannot be used.
    pub fn check(&self) -> Result<(), DoctorError> {
        let shares = [
            ("monitor.thresholds.house.dead_units", self.dead_units),
            ("monitor.thresholds.house.still_falling", self.still_falling),
            ("monitor.thresholds.house.falling_far", self.falling_far),
            ("monitor.thresholds.house.stalled", self.stalled),
            ("monitor.thresholds.house.arrived", self.arrived),
            ("monitor.thresholds.house.half_way", self.half_way),
            ("monitor.thresholds.house.far", self.far),
            ("monitor.thresholds.house.far_after", self.far_after),
            ("monitor.thresholds.house.late", self.late),
        ];
        let sizes = [
            ("monitor.thresholds.house.val_errors", self.val_errors),
            ("monitor.thresholds.house.loss_rise", self.loss_rise),
            ("monitor.thresholds.house.loss_swing", self.loss_swing),
        ];
        if let Some((what, share)) = shares.into_iter().find(|(_, s)| !(*s > 0.0 && *s <= 1.0)) {
            return Err(DoctorError::setting(what, share, "is not above 0 and at most 1"));
        }
        if let Some((what, size)) = sizes.into_iter().find(|(_, s)| !(*s > 0.0 && s.is_finite())) {
            return Err(DoctorError::setting(what, size, "is not above 0"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_thresholds_are_named() {
        assert!(HouseThresholds::default().check().is_ok());
        let bad = HouseThresholds { loss_rise: 0.0, ..HouseThresholds::default() }.check().unwrap_err().to_string();
        assert!(bad.contains("monitor.thresholds.house.loss_rise"), "{bad}");
        assert!(HouseThresholds { far: f64::NAN, ..HouseThresholds::default() }.check().is_err());
    }
}
