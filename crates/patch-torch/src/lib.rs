//! Patches of layers before the last one (Arachne v2, TOSEM 32(4)).
//!
//! [`locate`] finds weights by gradients of the whole network, [`TailEvaluator`] judges candidates by running the rest of
//! it behind a kept prefix, and [`repair_inner`] joins them with a search of `patch`. A crate of its own, so that programs
//! that only handle patches are not linked with libtorch.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod costs;
mod repair;
mod tail;

pub use costs::{LayerCosts, costs, locate};
pub use repair::{InnerRequest, patched, repair_inner, weight_layers};
pub use tail::TailEvaluator;

use hybridrepair_core::ClassId;
use hybridrepair_patch::PatchError;
use hybridrepair_torch::{Model, Tensor, class_tensor, nhwc_tensor};

/// Pictures per pass; fixed, so that sums do not depend on the machine.
const BATCH: usize = 128;

/// Labelled pictures as the network takes them.
#[derive(Clone, Copy)]
pub struct Pictures<'a> {
    /// Height and width.
    pub size: (usize, usize),
    /// Writes a picture by its row: `height x width x 3` normalised numbers.
    pub fill: &'a (dyn Fn(usize, &mut [f32]) + Sync),
    /// A class per row.
    pub labels: &'a [ClassId],
}

impl Pictures<'_> {
    /// Some rows as tensors for this model, in batches.
    fn batches<'a>(&'a self, model: &'a Model, rows: &'a [usize]) -> impl Iterator<Item = (Tensor, Tensor)> + 'a {
        rows.chunks(BATCH).map(move |rows| {
            let (height, width) = self.size;
            let mut pixels = vec![0f32; rows.len() * height * width * 3];
            for (out, &row) in pixels.chunks_exact_mut(height * width * 3).zip(rows) {
                (self.fill)(row, out);
            }
            let x = nhwc_tensor(&pixels, height, width, model.device());
            let labels = rows.iter().map(|&row| self.labels[row]).collect::<Vec<_>>();
            (x, class_tensor(&labels, model.device()))
        })
    }
}

impl std::fmt::Debug for Pictures<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pictures({} of {:?})", self.labels.len(), self.size)
    }
}

/// A tensor as plain numbers in row order.
fn numbers(t: &Tensor) -> Result<Vec<f32>, PatchError> {
    let flat = t.to_device(tch::Device::Cpu).to_kind(tch::Kind::Float).contiguous().view([-1]);
    Vec::<f32>::try_from(&flat).map_err(network)
}

/// For `map_err`: libtorch or the network failed.
#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn network(error: impl ToString) -> PatchError {
    PatchError::Network(error.to_string())
}
