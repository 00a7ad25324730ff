//! The initial learning rate of a network, found from short trials.
//!
//! A rate that is too small writes nothing into the weights: seen as matrices they stay noise. [`evbmf()`] separates signal from
//! noise, [`knowledge()`] says for every layer what share of its directions carries signal, and Z of a [`Probe`] is the share of
//! sides without any. Z falls from 1 as the rate grows, and where it has just become flat lies the rate to take ([`Knee`]). Z cannot see whether
//! the network learns; a [`Guard`] on the loss does. In a network that was trained before, structure is there already: there
//! [`Range`] goes by the loss alone. The published searches are kept as [`Grid2020`] and [`Trust2021`].
//!
//! This crate trains nothing: a [`Search`] asks a [`Lab`], which asks a [`Prober`].
//!
//! ```
//! use hybridrepair_tune::{Lab, Limits, Point, Probe, ProbeEpoch, Prober, Range, TuneError, find};
//!
//! /// A loss that is smallest at a rate of 0.01.
//! struct Formula;
//! impl Prober for Formula {
//!     fn probe(&mut self, points: &[Point]) -> Result<Vec<Probe>, TuneError> {
//!         let trained = |p: &Point| {
//!             let loss = 0.2 + (p.lr / 0.01).ln().powi(2) / 10.0;
//!             let epochs = vec![ProbeEpoch { loss, ..ProbeEpoch::default() }];
//!             Probe { point: *p, start_loss: 2.0, epochs, planned: 1, seconds: 1.0 }
//!         };
//!         Ok(points.iter().map(trained).collect())
//!     }
//! }
//! let limits = Limits { probes: 25, seconds: 60.0 };
//! let mut formula = Formula;
//! let found = find(&mut Range::new(None), &mut Lab::new(&mut formula, vec![], limits)?, 0)?;
//! assert!((found.lr - 0.01).abs() < 1e-9);
//! # Ok::<(), TuneError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod brent;
mod choice;
mod error;
mod evbmf;
mod files;
mod guard;
mod knowledge;
mod lab;
mod probe;
mod search;
mod spectrum;

pub use choice::{Choice, Cost, Pick, find, then_weight_decay};
pub use error::TuneError;
pub use evbmf::{Factor, Variant, evbmf};
pub use files::{ProbeLine, layer_table, probe_lines, probes_of, trace_table};
pub use guard::Guard;
pub use knowledge::{LEAST_ROWS, Layer, LayerGain, Side, knowledge, silent_share};
pub use lab::{Halt, Lab, Limits, Prober, Ramped};
pub use probe::{PLATEAU, Point, Probe, ProbeEpoch, zeta};
pub use search::{Grid2020, Knee, Ramp, Random, Range, SEARCHES, Search, SearchSettings, Trace, Trust2021, search};
