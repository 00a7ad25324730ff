//! What a candidate does to wrong and right samples.

#![expect(clippy::inline_always, reason = "loops over lanes become vector instructions only where they are inlined")]

mod exp;
mod head;
mod whole;

use crate::PatchError;
pub use head::HeadEvaluator;
use serde::Serialize;
pub use whole::{evaluate_whole, judge_whole};

/// What a candidate did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Eval {
    /// Wrong samples that are right now.
    pub right_neg: u32,
    /// Right samples that still are.
    pub right_pos: u32,
    /// Over the wrong samples: 1 for each that is right, `1 / (1 + loss)` for each that is not.
    pub soft_neg: f64,
    /// The same over the right samples.
    pub soft_pos: f64,
    /// Mean cross-entropy of the wrong samples.
    pub loss_neg: f64,
    /// Mean cross-entropy of the right samples.
    pub loss_pos: f64,
    /// Right samples of protected classes that are wrong now.
    pub broken_protected: u32,
}

/// What a candidate did to one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Whether it is right.
    pub right: bool,
    /// Its cross-entropy.
    pub loss: f64,
}

/// Judges new values of some weights.
pub trait Evaluator: Sync {
    /// Number of weights.
    fn dims(&self) -> usize;

    /// Number of wrong samples.
    fn negatives(&self) -> usize;

    /// Number of right samples.
    fn positives(&self) -> usize;

    /// Judges candidates, `dims` values each, one after the other; the values are used as the model's file would hold
    /// them.
    ///
    /// # Errors
    /// When a network cannot be run.
    fn evaluate(&self, candidates: &[f32]) -> Result<Vec<Eval>, PatchError>;

    /// What one candidate does to every sample: the wrong ones, then the right ones.
    ///
    /// # Errors
    /// When a network cannot be run.
    fn each(&self, candidate: &[f32]) -> Result<Vec<Judged>, PatchError>;
}
