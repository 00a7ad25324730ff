//! What tests calculate by hand: draws that are written down, and one weight with a best place.

use super::Draws;
use crate::{Eval, Evaluator, Judged, PatchError};

/// Random numbers written down.
pub(crate) struct Script(pub(crate) Vec<f64>);

impl Draws for Script {
    fn normal(&mut self) -> f64 {
        self.0.remove(0)
    }
    fn uniform(&mut self) -> f64 {
        self.0.remove(0)
    }
}

/// Score: 100 minus the distance from 3.
pub(crate) struct Near;

impl Evaluator for Near {
    fn dims(&self) -> usize {
        1
    }
    fn negatives(&self) -> usize {
        1
    }
    fn positives(&self) -> usize {
        1
    }
    fn evaluate(&self, candidates: &[f32]) -> Result<Vec<Eval>, PatchError> {
        let eval = |v: &f32| Eval { right_pos: 1, soft_neg: f64::from(100.0 - (v - 3.0).abs()), ..Eval::default() };
        Ok(candidates.iter().map(eval).collect())
    }
    fn each(&self, _: &[f32]) -> Result<Vec<Judged>, PatchError> {
        Ok(Vec::new())
    }
}
