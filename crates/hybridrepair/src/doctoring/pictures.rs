//! Fixed architectures on pictures: remedies change how they are trained and leave the network alone.

use super::recipe::trainer;
use crate::{Error, TrainConfig};
use hybridrepair_core::{ClassId, Streams, metrics::accuracy};
use hybridrepair_data::{Labelled, Normalizer, Splits};
use hybridrepair_doctor::{Facts, Loss, OptimizerPlan, Plan, Scaling, Score};
use hybridrepair_doctor_torch::{Task, TrainerError};
use hybridrepair_torch::{Arch, Device, Model, ModelSpec, Tensor, class_tensor, nhwc_tensor, predict};
use hybridrepair_train::{Example, Objective, OptimSpec, Schedule, Supervised, SupervisedData};

/// An architecture and labelled pictures.
pub struct PictureTask<'a> {
    /// The settings.
    pub config: &'a TrainConfig,
    /// The data.
    pub splits: &'a Splits,
    /// The test transform.
    pub normalizer: Normalizer,
    /// Where models live.
    pub device: Device,
}

/// The plan of a training configuration: what of it remedies may change.
///
/// # Errors
/// When its schedule has no single rate to change.
pub fn plan_of(config: &TrainConfig) -> Result<Plan, Error> {
    let (lr, warmup, cosine) = match config.schedule {
        Schedule::Constant { lr } => (lr, 0.0, false),
        Schedule::WarmUp { lr, warmup } => (lr, warmup, false),
        Schedule::Cosine { lr, warmup } => (lr, warmup, true),
        Schedule::Steps { .. } | Schedule::Exponential { .. } => {
            return Err(Error::Config(
                "monitor: a schedule without a single rate cannot be repaired; use constant or cosine".to_owned(),
            ));
        }
    };
    let name = config.optimizer.build().name();
    let mut optimizer = OptimizerPlan { warmup, cosine, ..OptimizerPlan::new(name, lr) };
    match config.optimizer {
        OptimSpec::Sgd { momentum, weight_decay, nesterov } => {
            (optimizer.momentum, optimizer.weight_decay, optimizer.nesterov) = (momentum, weight_decay, nesterov);
        }
        OptimSpec::Rmsprop { momentum, weight_decay, .. } | OptimSpec::Lars { momentum, weight_decay, .. } => {
            (optimizer.momentum, optimizer.weight_decay) = (momentum, weight_decay);
        }
        OptimSpec::Adamw { weight_decay, .. }
        | OptimSpec::Adam { weight_decay, .. }
        | OptimSpec::Nadam { weight_decay, .. }
        | OptimSpec::Adamax { weight_decay, .. }
        | OptimSpec::Adagrad { weight_decay, .. }
        | OptimSpec::Adadelta { weight_decay, .. }
        | OptimSpec::Adabound { weight_decay, .. } => optimizer.weight_decay = weight_decay,
    }
    Ok(Plan {
        epochs: config.epochs,
        batch_size: config.batch_size,
        loss: Loss::CrossEntropy,
        scaling: Scaling::None,
        early_stop: None,
        draw: 0,
        clip: None,
        plateau: None,
        optimizer,
        net: None,
    })
}

/// Loss and accuracy of a model on labelled pictures.
pub(crate) fn score(model: &Model, part: &Labelled, normalizer: &Normalizer) -> Result<Score, TrainerError> {
    let said = predict(model, &part.images, normalizer)?;
    let acc = accuracy(&said.classes(), &part.labels);
    let mut loss = 0.0;
    for (z, class) in said.logits.outer_iter().zip(&part.labels) {
        let top = z.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        let sum = z.iter().map(|&v| f64::from(v - top).exp()).sum::<f64>();
        loss += sum.ln() - f64::from(z[class.column()] - top);
    }
    Ok(Score { loss: loss / part.labels.len().max(1) as f64, acc })
}

/// The first pictures as input of a network, and their classes.
pub(crate) fn first_rows(part: &Labelled, rows: usize, normalizer: &Normalizer, device: Device) -> (Tensor, Tensor) {
    let (n, stride) = (rows.min(part.images.len()), part.images.stride());
    let mut pixels = vec![0f32; n * stride];
    for (i, out) in pixels.chunks_exact_mut(stride).enumerate() {
        normalizer.apply(part.images.get(i), out);
    }
    let x = nhwc_tensor(&pixels, part.images.height(), part.images.width(), device);
    (x, class_tensor(&part.labels[..n], device))
}

/// What the rules must know of a training on pictures.
pub(crate) fn facts(splits: &Splits, epochs: usize, interval: usize) -> Facts {
    let shares = hybridrepair_core::prior::class_frequencies(&splits.train.labels, splits.classes());
    Facts {
        epochs,
        interval,
        classes: splits.classes(),
        chance: shares.into_iter().fold(0.0, f64::max),
        train_samples: splits.train.labels.len(),
        val_samples: splits.val.labels.len(),
        output: None,
    }
}

impl Task for PictureTask<'_> {
    fn facts(&self, _: &Plan, epochs: usize, interval: usize) -> Facts {
        facts(self.splits, epochs, interval)
    }

    fn model(&self, _: &Plan) -> Result<Model, TrainerError> {
        let (arch, width, classes) = (self.config.model.parse::<Arch>()?, self.config.width, self.splits.classes());
        Ok(Model::new(ModelSpec { arch, width, classes }, self.device, self.streams())?)
    }

    fn objective(&self, plan: &Plan) -> Result<Box<dyn Objective>, TrainerError> {
        let transform = self.config.augment.transform(&self.config.data);
        let sets = vec![(self.splits.train.images.clone(), transform)];
        let data = SupervisedData { sets, normalizer: self.normalizer.clone() };
        let example = |(row, &class): (usize, &ClassId)| Example { set: 0, row, class };
        let examples = self.splits.train.labels.iter().enumerate().map(example).collect();
        let lesson = Supervised::new(data, examples, plan.batch_size, self.streams(), "train")?;
        Ok(Box::new(lesson.smoothing(self.config.smoothing)))
    }

    fn evaluate(&self, _: &Plan, model: &Model) -> Result<Score, TrainerError> {
        score(model, &self.splits.val, &self.normalizer)
    }

    fn first_rows(&self, _: &Plan, rows: usize) -> (Tensor, Tensor) {
        first_rows(&self.splits.train, rows, &self.normalizer, self.device)
    }

    fn streams(&self) -> Streams {
        Streams::new(self.config.seed)
    }
}

/// As [`score`], with the pipeline's error.
pub(crate) fn val_score(model: &Model, part: &Labelled, normalizer: &Normalizer) -> Result<Score, Error> {
    score(model, part, normalizer).map_err(trainer)
}
