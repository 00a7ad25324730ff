//! What optimisers remember, and how it is saved.

use crate::TrainError;
use hybridrepair_torch::{Kind, Params, Tensor};

/// One state tensor per parameter, in the order of the parameters.
#[derive(Debug, Default)]
pub(super) struct Slots {
    pub(super) tensors: Vec<(String, Tensor)>,
}

impl Slots {
    /// Zeros like every parameter, made when first needed.
    pub(super) fn ensure(&mut self, params: &Params) {
        if self.tensors.is_empty() {
            self.tensors = params.trained().map(|(n, t)| (n.to_owned(), t.zeros_like())).collect();
        }
    }

    pub(super) fn save(&self, slot: &str) -> impl Iterator<Item = (String, Tensor)> {
        self.tensors.iter().map(move |(n, t)| (format!("{slot}.{n}"), t.copy()))
    }

    pub(super) fn load(&mut self, slot: &str, state: &[(String, Tensor)], params: &Params) -> Result<(), TrainError> {
        self.tensors.clear();
        if !state.iter().any(|(n, _)| n.strip_prefix(slot).is_some_and(|rest| rest.starts_with('.'))) {
            return Ok(());
        }
        self.ensure(params);
        for (name, tensor) in &mut self.tensors {
            let wanted = format!("{slot}.{name}");
            let saved = state.iter().find(|(n, t)| *n == wanted && t.size() == tensor.size());
            let (_, saved) =
                saved.ok_or_else(|| TrainError::Resume(format!("optimiser state {wanted:?} is missing")))?;
            tch::no_grad(|| tensor.copy_(saved));
        }
        Ok(())
    }
}

/// Number of steps taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps(i32);

impl Steps {
    /// The number of the step that begins, from 1.
    pub(super) fn next(&mut self) -> i32 {
        self.0 += 1;
        self.0
    }

    pub(super) fn save(self) -> (String, Tensor) {
        ("steps".to_owned(), Tensor::from_slice(&[self.0 as f32]).to_kind(Kind::Float))
    }

    /// 0 when there is none.
    pub(super) fn load(state: &[(String, Tensor)]) -> Self {
        Self(state.iter().find(|(n, _)| n == "steps").map_or(0, |(_, t)| t.double_value(&[0]) as i32))
    }
}

/// The gradient with its L2 penalty; `None` where there is none.
pub(super) fn gradient(w: &Tensor, weight_decay: f64) -> Option<Tensor> {
    let g = w.grad();
    g.defined().then(|| if weight_decay == 0.0 { g } else { g + w * weight_decay })
}

/// A number to its last bit in a tensor of `f32`, which is what a state file holds: 16 bits in each entry.
pub(super) fn exact(number: f64) -> Tensor {
    let bits = number.to_bits();
    Tensor::from_slice(&[48, 32, 16, 0].map(|shift| f32::from((bits >> shift) as u16)))
}

/// A number that [`exact`] wrote.
pub(super) fn read_exact(name: &str, state: &[(String, Tensor)]) -> Option<f64> {
    let (_, t) = state.iter().find(|(n, t)| n == name && t.numel() == 4)?;
    Some(f64::from_bits((0..4).fold(0, |bits, i| bits << 16 | t.double_value(&[i]) as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_to_the_last_bit() {
        for x in [0.0, 1.0, 0.1, 1.0 / 3.0, f64::MIN_POSITIVE, -1e300] {
            assert_eq!(read_exact("x", &[("x".to_owned(), exact(x))]), Some(x));
        }
    }
}
