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
