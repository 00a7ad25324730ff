//! The optimisers. One file per family, one line each in [`ALL`].

mod adam;
mod adgd;
mod descent;
mod pilot;
mod repair_default;
mod schedule_free;
mod sgd;

use crate::entry::Maker;
use adam::{Adam, Memoryless, Nadam};
use adgd::AdGd;
use descent::Descent;
use pilot::Pilot;
use rand::Rng;
use repair_default::RepairDefault;
use schedule_free::ScheduleFree;
use sgd::{RmsProp, Sgd};

/// Name, what it is, and how it is made.
pub(crate) const ALL: &[(&str, &str, Maker)] = &[
    ("adam", "Adam, rate 0.001: the baseline", || Descent::entry("adam", |n, _| Box::new(Adam::new(1e-3, 0.0, n)))),
    ("adam-0.01", "Adam, rate 0.01", || Descent::entry("adam-0.01", |n, _| Box::new(Adam::new(1e-2, 0.0, n)))),
    ("adam-memoryless", "the competition's own \"Adam\", which forgets its moments: a warning", || {
        Descent::entry("adam-memoryless", |_, _| Box::new(Memoryless))
    }),
    ("adamw", "AdamW, rate 0.001, decay 0.01", || Descent::entry("adamw", |n, _| Box::new(Adam::new(1e-3, 0.01, n)))),
    ("adgd", "adaptive gradient descent of the competition's winners, no rate", || Box::new(AdGd)),
    ("nadam", "Adam with Nesterov momentum, rate 0.002", || {
        Descent::entry("nadam", |n, _| Box::new(Nadam::new(2e-3, n)))
    }),
    (
        "pilot",
        "ours: small batches of schedule-free Adam, begun anew where it stands still; no setting per task",
        || Box::new(Pilot),
    ),
    ("random-lr", "Adam, rate drawn log-uniformly from 0.00001 to 1", || {
        Descent::entry("random-lr", |n, rng| Box::new(Adam::new(libm::pow(10.0, rng.gen_range(-5.0..0.0)), 0.0, n)))
    }),
    (
        "repair-default",
        "what `repair` does by preset: Nesterov momentum 0.9, decay 0.0005, a cosine from rate 0.01",
        || Box::new(RepairDefault),
    ),
    ("rmsprop", "RMSProp, rate 0.01", || Descent::entry("rmsprop", |n, _| Box::new(RmsProp::new(1e-2, n)))),
    ("schedule-free", "schedule-free AdamW, rate 0.0025", || Box::new(ScheduleFree)),
    ("sgd", "gradient descent, rate 0.1", || Descent::entry("sgd", |n, _| Box::new(Sgd::new(0.1, 0.0, n)))),
    ("sgd-0.01", "gradient descent, rate 0.01", || Descent::entry("sgd-0.01", |n, _| Box::new(Sgd::new(0.01, 0.0, n)))),
    ("sgd-momentum", "gradient descent, rate 0.1, momentum 0.9", || {
        Descent::entry("sgd-momentum", |n, _| Box::new(Sgd::new(0.1, 0.9, n)))
    }),
];
