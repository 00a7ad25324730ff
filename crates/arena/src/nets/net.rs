use super::layer::{Layer, Memory, Statistics};
use crate::{Norm, ParamLayout};
use hybridrepair_core::Stream;
use std::{ops::Range, sync::Arc};

/// Layers in a row under the mean cross-entropy of a softmax.
pub(crate) struct Net {
    layers: Vec<Placed>,
    layout: Arc<ParamLayout>,
    classes: usize,
    steps: usize,
    statistics: usize,
}

struct Placed {
    layer: Box<dyn Layer>,
    params: Range<usize>,
    statistics: Range<usize>,
}

impl Net {
    /// A net whose last layer gives `classes` logits at each of `steps` places per example.
    pub(crate) fn new(layers: Vec<Box<dyn Layer>>, classes: usize, steps: usize) -> Self {
        let (mut layout, mut statistics) = (ParamLayout::default(), 0);
        let mut placed = Vec::with_capacity(layers.len());
        for (number, layer) in layers.into_iter().enumerate() {
            let start = layout.len();
            for tensor in layer.tensors() {
                layout.push(format!("{number}.{}", tensor.name), tensor.shape);
            }
            let kept = layer.statistics().len();
            placed.push(Placed { params: start..layout.len(), statistics: statistics..statistics + kept, layer });
            statistics += kept;
        }
        Self { layers: placed, layout: Arc::new(layout), classes, steps, statistics }
    }

    pub(crate) fn layout(&self) -> &Arc<ParamLayout> {
        &self.layout
    }

    /// Initial parameters.
    pub(crate) fn init(&self, stream: &mut Stream) -> Vec<f32> {
        let tensors = self.layers.iter().flat_map(|p| p.layer.tensors());
        tensors.flat_map(|t| t.init.draw(t.shape.iter().product(), stream)).collect()
    }

    /// Initial running statistics.
    pub(crate) fn statistics(&self) -> Vec<f32> {
        let all: Vec<f32> = self.layers.iter().flat_map(|p| p.layer.statistics()).collect();
        debug_assert_eq!(all.len(), self.statistics);
        all
    }

    /// Mean loss of `n` examples; changes nothing.
    pub(crate) fn loss(&self, params: &[f32], statistics: &[f32], x: Vec<f32>, labels: &[u32], norm: Norm) -> f64 {
        let n = labels.len() / self.steps;
        let logits = self.layers.iter().fold(x, |x, placed| {
            let from = match norm {
                Norm::Batch => Statistics::Batch,
                Norm::Running => Statistics::Running(&statistics[placed.statistics.clone()]),
            };
            placed.layer.forward(&params[placed.params.clone()], x, n, from).0
        });
        self.cross_entropy(logits, labels).0
    }

    /// Mean loss and gradient; the running statistics take note.
    pub(crate) fn grad(&self, params: &[f32], statistics: &mut [f32], x: Vec<f32>, labels: &[u32]) -> (f64, Vec<f32>) {
        let n = labels.len() / self.steps;
        let (mut x, mut memories) = (x, Vec::<Memory>::with_capacity(self.layers.len()));
        for placed in &self.layers {
            let noted = Statistics::Noted(&mut statistics[placed.statistics.clone()]);
            let (y, memory) = placed.layer.forward(&params[placed.params.clone()], x, n, noted);
            memories.push(memory);
            x = y;
        }
        let (loss, mut d) = self.cross_entropy(x, labels);
        let mut grads = vec![0.0; self.layout.len()];
        let first = self.layers.iter().position(|p| !p.params.is_empty()).unwrap_or(0);
        for (number, (placed, memory)) in self.layers.iter().zip(&memories).enumerate().rev() {
            if number < first {
                break;
            }
            let here = placed.params.clone();
            d = placed.layer.backward(&params[here.clone()], memory, d, n, &mut grads[here], number > first);
        }
        (loss, grads)
    }

    /// Mean loss, and its gradient in the place of the logits. Row r is (step r / n, example r % n).
    fn cross_entropy(&self, mut logits: Vec<f32>, labels: &[u32]) -> (f64, Vec<f32>) {
        let n = labels.len() / self.steps;
        let share = 1.0 / labels.len() as f32;
        let mut sum = 0.0;
        for (r, row) in logits.chunks_exact_mut(self.classes).enumerate() {
            let label = labels[(r % n) * self.steps + r / n] as usize;
            // a NaN is not passed over by max, it must reach the loss
            let most = row.iter().copied().fold(f32::NEG_INFINITY, |a, b| if b > a || b.is_nan() { b } else { a });
            let right = row[label] - most;
            let mut total = 0.0f64;
            for v in row.iter_mut() {
                *v = libm::expf(*v - most);
                total += f64::from(*v);
            }
            sum += libm::log(total) - f64::from(right);
            let scale = share / total as f32;
            for v in row.iter_mut() {
                *v *= scale;
            }
            row[label] -= share;
        }
        (sum / labels.len() as f64, logits)
    }
}
