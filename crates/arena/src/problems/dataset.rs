/// Examples with a label, or with one per place of a sequence.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dataset {
    /// `n x features`, row-major.
    pub(crate) inputs: Vec<f32>,
    pub(crate) features: usize,
    /// `n x places`
    pub(crate) labels: Vec<u32>,
    pub(crate) places: usize,
}

impl Dataset {
    pub(crate) fn len(&self) -> usize {
        self.labels.len() / self.places
    }

    /// Inputs and labels of some rows.
    pub(crate) fn rows(&self, rows: impl Iterator<Item = usize>) -> (Vec<f32>, Vec<u32>) {
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        for row in rows {
            inputs.extend_from_slice(&self.inputs[row * self.features..(row + 1) * self.features]);
            labels.extend_from_slice(&self.labels[row * self.places..(row + 1) * self.places]);
        }
        (inputs, labels)
    }

    /// Cuts off the first rows.
    pub(crate) fn split(mut self, at: usize) -> (Self, Self) {
        let inputs = self.inputs.split_off(at * self.features);
        let labels = self.labels.split_off(at * self.places);
        let rest = Self { inputs, labels, ..self };
        (self, rest)
    }
}

/// The three splits of a task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Splits {
    pub(crate) train: Dataset,
    pub(crate) target: Dataset,
    pub(crate) holdout: Dataset,
}

impl Splits {
    /// The first rows train, the next judge, the rest is the holdout.
    pub(crate) fn cut(all: Dataset, train: usize, target: usize) -> Self {
        let (train, rest) = all.split(train);
        let (target, holdout) = rest.split(target);
        Self { train, target, holdout }
    }

    /// Replaces this share of the training labels by random ones.
    pub(crate) fn label_noise(&mut self, share: f64, classes: u32, stream: &mut hybridrepair_core::Stream) {
        use rand::Rng;
        for label in &mut self.train.labels {
            if stream.gen_bool(share) {
                *label = stream.gen_range(0..classes);
            }
        }
    }
}
