//! When to stop training and repair instead ("More is Not Always Better", `DeepTest` 2024): the rules, without networks.
//!
//! The published experiment repairs several checkpoints of one training and asks which gives the best model. Here a
//! checkpoint counts as another one only if it differs from the converged one beyond chance, a repaired model counts only
//! if it has not collapsed, and every candidate is compared with a moved threshold.

mod bootstrap;
mod equivalent;
mod guard;
mod pool;
mod quality;
mod readiness;

pub use bootstrap::{Interval, paired_bootstrap};
pub use equivalent::{Pattern, equivalent, groups, pattern};
pub use guard::CollapseGuard;
pub use pool::{DeviceMemory, DevicePool, Job, Memory};
pub use quality::{AlphaInterval, Quality, alpha_intervals};
pub use readiness::{Readiness, probe, switch_at};
