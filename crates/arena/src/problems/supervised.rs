use super::dataset::{Dataset, Splits};
use crate::{Examples, Norm, ParamLayout, Part, Problem, nets::Net, problem::Sizes};
use hybridrepair_core::Streams;
use std::sync::Arc;

/// Rows judged at a time.
const CHUNK: usize = 256;

/// A net with its data.
pub(crate) struct Supervised {
    net: Net,
    splits: Arc<Splits>,
    batch: usize,
    statistics: Vec<f32>,
}

impl Supervised {
    pub(crate) fn new(net: Net, splits: Arc<Splits>, batch: usize) -> Self {
        let statistics = net.statistics();
        Self { net, splits, batch, statistics }
    }
}

impl Problem for Supervised {
    fn layout(&self) -> &Arc<ParamLayout> {
        self.net.layout()
    }

    fn sizes(&self) -> Sizes {
        Sizes { examples: self.splits.train.len(), target: self.splits.target.len(), batch: self.batch }
    }

    fn begin(&mut self, streams: Streams) -> Vec<f32> {
        self.statistics = self.net.statistics();
        self.net.init(&mut streams.named("arena.init"))
    }

    fn loss(&self, params: &[f32], examples: Examples<'_>, norm: Norm) -> f64 {
        let (x, labels) = self.splits.train.rows(examples.rows.iter().copied());
        self.net.loss(params, &self.statistics, x, &labels, norm)
    }

    fn grad(&mut self, params: &[f32], examples: Examples<'_>) -> (f64, Vec<f32>) {
        let (x, labels) = self.splits.train.rows(examples.rows.iter().copied());
        self.net.grad(params, &mut self.statistics, x, &labels)
    }

    fn judge(&self, params: &[f32], part: Part) -> f64 {
        let data: &Dataset = match part {
            Part::Target => &self.splits.target,
            Part::Holdout => &self.splits.holdout,
        };
        let n = data.len();
        let mut sum = 0.0;
        for start in (0..n).step_by(CHUNK) {
            let end = (start + CHUNK).min(n);
            let (x, labels) = data.rows(start..end);
            sum += self.net.loss(params, &self.statistics, x, &labels, Norm::Running) * (end - start) as f64;
        }
        sum / n as f64
    }
}
