//! Weights repaired by search, without training.
//!
//! A repair of this kind takes seconds, changes a few numbers of a model and can be taken back. [`Localizer`]s name the
//! weights that wrong answers depend on (Sohn, Kang and Yoo, *Arachne*, arXiv 1912.12463 and TOSEM 32(4)), a [`Search`]
//! finds new values for them under a [`Guard`], and a [`PatchFile`] keeps old and new values with the hash of the model
//! that they belong to.
//!
//! For the last layer all of this works on cached penultimate features and needs no tensor library: a candidate changes
//! a few logits, and only those are computed again ([`HeadEvaluator`]).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cases;
mod compare;
mod curve;
mod drill;
pub mod early;
mod error;
mod evaluate;
mod file;
mod finetune;
mod head;
mod localize;
mod merge;
mod methods;
mod objective;
mod outcome;
mod paired;
mod planted;
mod positives;
mod refine;
mod repair;
mod retrain;
mod search;
mod tensors;
pub mod upstream;
mod verdict;
mod weight;

pub use cases::{Cases, Samples, roles};
pub use compare::{CompareRequest, Compared, ComparedRun, Comparison, compare};
pub use curve::{BiasCurve, CurvePoint};
pub use drill::{DrillRequest, Drilled, Restored, drill};
pub use error::PatchError;
pub use evaluate::{Eval, Evaluator, HeadEvaluator, Judged, evaluate_whole, judge_whole};
pub use file::{Applied, PatchFile, Provenance};
pub use finetune::{FineTune, fine_tune};
pub use head::Head;
pub use localize::{
    Arachne1, Arachne2, Bias, Combined, Gradient, HeadCase, Impact, Localized, Localizer, Random, head_gradient,
    localizer, pareto_front,
};
pub use merge::{Conflict, merge};
pub use methods::{METHODS, MethodSettings, NamedMethod, SPARSE, named_method, seedless};
pub use objective::{Fitness, Guard, Objective};
pub use outcome::Outcome;
pub use planted::{Fault, plant};
pub use positives::Positives;
pub use refine::refine;
pub use repair::{Found, Method, RepairRequest, repair_head};
pub use retrain::Retrain;
pub use search::{
    DifferentialEvolution, Draws, LayerRange, Pso, PsoPublished, Search, Space, Start, Step, Swarm, Sweep, Trace,
    search,
};
pub use tensors::{Precision, TensorFile};
pub use verdict::{Judge, Verdict};
pub use weight::{Change, WeightRef};
