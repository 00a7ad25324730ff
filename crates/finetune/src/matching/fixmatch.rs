use super::weighting::{Weighting, top};

/// Weight 1 at or above a fixed confidence, 0 below (`FixMatch`, Sohn et al. 2020, equation 4).
#[derive(Clone, Copy, Debug)]
pub(super) struct FixMatch {
    pub(super) threshold: f64,
}

impl Weighting for FixMatch {
    fn weigh(&mut self, probs: &[f32], classes: usize) -> Vec<f32> {
        let sure = |row: &[f32]| f64::from(top(row).1) >= self.threshold;
        probs.chunks_exact(classes).map(|row| f32::from(u8::from(sure(row)))).collect()
    }

    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    fn load_state(&mut self, _: &[f64]) {}
}
