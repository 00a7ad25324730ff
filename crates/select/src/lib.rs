//! Which samples are worth a label: one file per [`Strategy`], one [registry](strategy()).
//!
//! A strategy looks at [`Evidence`](hybridrepair_core::Evidence) - probabilities, features, embeddings, views, regions -
//! and never at a model or at a label of the pool that was not bought. It declares what it [needs](Strategy::needs), so
//! that a pipeline computes only that.
//!
//! All strategies keep one contract, tested over the whole registry:
//! * exactly `min(budget, unlabelled)` picks, none twice, none of a sample whose label is known;
//! * the same stream gives the same picks on any number of threads;
//! * the answer depends on the samples and not on their row order: candidates are visited in the order of their
//!   [`SampleId`](hybridrepair_core::SampleId), which also breaks ties;
//! * missing evidence is [`SelectError::Needs`], which names the flag that gives it; hostile evidence is a typed error
//!   or a valid answer.
//!
//! ```
//! use hybridrepair_core::{Evidence, Pool, Probs, Streams};
//! let logits = ndarray::array![[9.0, 0.0], [0.1, 0.0], [0.0, 4.0]];
//! let evidence = Evidence { probs: Some(Probs::from_logits(&logits)?), ..Evidence::default() };
//! let gini = hybridrepair_select::strategy("gini")?;
//! let picked = gini.select(&Pool::counted(3), &evidence, 1, &mut Streams::new(0).named("select"))?;
//! assert_eq!(picked.picks[0].idx.row(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod badge;
mod balanced;
mod candidates;
mod clue;
mod consistency;
mod coreset;
mod cost;
mod coverage;
mod datis;
mod dcom;
mod decorators;
mod distinct;
mod entropy;
mod error;
mod exact;
mod gini;
mod hybrid;
mod margin;
mod max_softmax;
mod maxherding;
mod mcp;
mod order;
mod plus_plus;
mod power;
mod probcover;
mod radius;
mod random;
mod ranker;
mod rdss;
mod registry;
mod strategy;
mod subset;
mod sum_tree;
mod typiclust;
mod uherding;
mod unsmooth_coverage;
mod usl;
mod vector;

pub use badge::Badge;
pub use balanced::Balanced;
pub use clue::Clue;
pub use consistency::Consistency;
pub use coreset::Coreset;
pub use cost::{Estimate, Limits, Size};
pub use datis::Datis;
pub use dcom::DCom;
pub use distinct::Distinct;
pub use entropy::Entropy;
pub use error::SelectError;
pub use gini::Gini;
pub use hybrid::Hybrid;
pub use margin::Margin;
pub use max_softmax::MaxSoftmax;
pub use maxherding::MaxHerding;
pub use mcp::Mcp;
pub use power::{GradientLength, Power};
pub use probcover::ProbCover;
pub use random::Random;
pub use ranker::Ranker;
pub use rdss::Rdss;
pub use registry::{names, strategy};
pub use strategy::Strategy;
pub use typiclust::TypiClust;
pub use uherding::UHerding;
pub use unsmooth_coverage::UnsmoothCoverage;
pub use usl::Usl;
