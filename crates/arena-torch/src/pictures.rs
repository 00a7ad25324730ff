use hybridrepair_arena::{Examples, Norm, ParamLayout, Part, Problem, Sizes};
use hybridrepair_core::{ClassId, Streams};
use hybridrepair_data::{Images, Normalization, Normalizer, TrainTransform};
use hybridrepair_torch::{CheckpointMeta, Device, Model, ModelSpec, TorchError, class_tensor, nhwc_tensor};
use std::{path::PathBuf, sync::Arc};
use tch::{Kind, Reduction, Tensor, no_grad};

/// Pictures judged at a time.
const CHUNK: usize = 250;

/// What a run begins with.
#[derive(Clone, Debug)]
pub enum Start {
    /// A fresh network, drawn by the run's seed.
    Fresh(ModelSpec),
    /// A checkpoint.
    Checkpoint(PathBuf),
}

/// Pictures to learn from.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The pictures.
    pub images: Images,
    /// A class for each: true, bought or guessed.
    pub classes: Vec<ClassId>,
    /// What each counts, 1 for true labels.
    pub weights: Vec<f32>,
    /// Augmentation.
    pub transform: TrainTransform,
    /// Channel statistics.
    pub normalization: Normalization,
    /// Default batch.
    pub batch: usize,
}

/// Pictures with true classes that judge.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The pictures.
    pub images: Images,
    /// Their classes.
    pub classes: Vec<ClassId>,
}

/// A network of pictures as a problem of the arena.
pub struct PictureProblem {
    model: Model,
    fresh: Option<ModelSpec>,
    begin: Vec<(String, Tensor)>,
    layout: Arc<ParamLayout>,
    lesson: Arc<Lesson>,
    normalizer: Normalizer,
    target: Arc<Judged>,
    holdout: Arc<Judged>,
    streams: Streams,
}

impl PictureProblem {
    /// Loads or makes the network.
    ///
    /// # Errors
    /// When the checkpoint cannot be read, or channel statistics are out of range.
    pub fn new(
        start: &Start,
        lesson: Arc<Lesson>,
        target: Arc<Judged>,
        holdout: Arc<Judged>,
        device: Device,
    ) -> Result<Self, TorchError> {
        let streams = Streams::new(0);
        let (model, fresh) = match start {
            Start::Fresh(spec) => (Model::new(spec.clone(), device, streams)?, Some(spec.clone())),
            Start::Checkpoint(path) => {
                let (model, _): (Model, CheckpointMeta) = hybridrepair_torch::load_checkpoint(path, device)?;
                (model, None)
            }
        };
        let shape = |t: &Tensor| t.size().iter().map(|&n| n as usize).collect::<Vec<_>>();
        let layout = ParamLayout::new(model.params().trained().map(|(name, t)| (name.to_owned(), shape(t))));
        let normalizer = Normalizer::new(lesson.normalization)?;
        let begin = model.params().snapshot();
        Ok(Self { model, fresh, begin, layout: Arc::new(layout), lesson, normalizer, target, holdout, streams })
    }

    fn set(&self, params: &[f32]) {
        no_grad(|| {
            for ((_, tensor), slot) in self.model.params().trained().zip(self.layout.slots()) {
                let values = Tensor::from_slice(&params[slot.start..slot.start + slot.len]).view(&tensor.size()[..]);
                tensor.shallow_clone().copy_(&values);
            }
        });
    }

    fn flat<'a>(&self, tensors: impl Iterator<Item = (&'a str, Tensor)>) -> Vec<f32> {
        let mut values = vec![0.0; self.layout.len()];
        for ((_, tensor), slot) in tensors.zip(self.layout.slots()) {
            let plain = tensor.detach().to_device(Device::Cpu).contiguous().view([-1]);
            plain.copy_data(&mut values[slot.start..slot.start + slot.len], slot.len);
        }
        values
    }

    /// Loss of a batch under augmentation, a scalar with its graph.
    fn batch_loss(&self, examples: Examples<'_>, train: bool) -> Tensor {
        let lesson = &self.lesson;
        let (stride, size) = (lesson.images.stride(), (lesson.images.height(), lesson.images.width()));
        let mut pixels = vec![0.0; examples.rows.len() * stride];
        for (out, &row) in pixels.chunks_exact_mut(stride).zip(examples.rows) {
            // by pass and row: a batch is the same whenever it is asked for
            let mut stream = self.streams.at("arena.augment", examples.epoch, row as u64);
            lesson.transform.apply(lesson.images.get(row), size, &self.normalizer, &mut stream, out);
        }
        let device = self.model.device();
        let x = nhwc_tensor(&pixels, size.0, size.1, device);
        let classes: Vec<ClassId> = examples.rows.iter().map(|&r| lesson.classes[r]).collect();
        let weights: Vec<f32> = examples.rows.iter().map(|&r| lesson.weights[r]).collect();
        let logits = self.model.forward(&x, train).logits;
        let each =
            logits.cross_entropy_loss(&class_tensor(&classes, device), None::<Tensor>, Reduction::None, -100, 0.0);
        (each * Tensor::from_slice(&weights).to_device(device)).mean(Kind::Float)
    }

    /// Copies of what is not trained: running statistics.
    fn buffers(&self) -> Vec<(Tensor, Tensor)> {
        let trained: Vec<&str> = self.model.params().trained().map(|(name, _)| name).collect();
        let buffers = self.model.params().all().filter(|(name, _)| !trained.contains(name));
        buffers.map(|(_, t)| (t.shallow_clone(), t.detach().copy())).collect()
    }
}

impl Problem for PictureProblem {
    fn layout(&self) -> &Arc<ParamLayout> {
        &self.layout
    }

    fn sizes(&self) -> Sizes {
        Sizes { examples: self.lesson.classes.len(), target: self.target.classes.len(), batch: self.lesson.batch }
    }

    fn begin(&mut self, streams: Streams) -> Vec<f32> {
        self.streams = streams;
        if let Some(spec) = &self.fresh {
            // the same settings as before: it was made once
            if let Ok(model) = Model::new(spec.clone(), self.model.device(), streams) {
                self.model = model;
            }
        } else {
            // of the same model
            let _ = self.model.params().restore(&self.begin);
        }
        self.flat(self.model.params().trained().map(|(name, t)| (name, t.shallow_clone())))
    }

    fn loss(&self, params: &[f32], examples: Examples<'_>, norm: Norm) -> f64 {
        self.set(params);
        no_grad(|| {
            let kept = if norm == Norm::Batch { self.buffers() } else { Vec::new() };
            let loss = self.batch_loss(examples, norm == Norm::Batch).double_value(&[]);
            for (mut buffer, before) in kept {
                buffer.copy_(&before);
            }
            loss
        })
    }

    fn grad(&mut self, params: &[f32], examples: Examples<'_>) -> (f64, Vec<f32>) {
        self.set(params);
        self.model.params().zero_grad();
        let loss = self.batch_loss(examples, true);
        loss.backward();
        let grads = self.flat(self.model.params().trained().map(|(name, t)| {
            let grad = t.grad();
            (name, if grad.defined() { grad } else { t.zeros_like() })
        }));
        (loss.double_value(&[]), grads)
    }

    fn judge(&self, params: &[f32], part: Part) -> f64 {
        self.set(params);
        let judged = if part == Part::Target { &self.target } else { &self.holdout };
        let rows: Vec<usize> = (0..judged.classes.len()).collect();
        let (height, width) = (judged.images.height(), judged.images.width());
        no_grad(|| {
            let sum: f64 = rows
                .chunks(CHUNK)
                .map(|rows| {
                    let mut pixels = vec![0.0; rows.len() * judged.images.stride()];
                    self.normalizer.fill(&judged.images, rows, &mut pixels);
                    let device = self.model.device();
                    let logits = self.model.forward(&nhwc_tensor(&pixels, height, width, device), false).logits;
                    let classes: Vec<ClassId> = rows.iter().map(|&r| judged.classes[r]).collect();
                    let classes = class_tensor(&classes, device);
                    logits.cross_entropy_loss(&classes, None::<Tensor>, Reduction::Sum, -100, 0.0).double_value(&[])
                })
                .sum();
            sum / judged.classes.len() as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_arena::{Limits, Referee, Stop, Task};
    use hybridrepair_data::{SignsSpec, signs};
    use hybridrepair_torch::Arch;

    fn problem() -> PictureProblem {
        let drawn = signs(&SignsSpec { train: 48, val: 32, field: 0, holdout: 0, ..SignsSpec::standard() }).unwrap();
        let lesson = Lesson {
            weights: vec![1.0; drawn.train.labels.len()],
            images: drawn.train.images,
            classes: drawn.train.labels,
            transform: TrainTransform { flip: false, padding: 2 },
            normalization: drawn.normalization,
            batch: 16,
        };
        let judged = Arc::new(Judged { images: drawn.val.images, classes: drawn.val.labels });
        let start = Start::Fresh(ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 16 });
        PictureProblem::new(&start, Arc::new(lesson), judged.clone(), judged, Device::Cpu).unwrap()
    }

    #[test]
    fn oracles_keep_their_promises_on_libtorch_too() {
        let mut problem = problem();
        let limits = Limits { work: 1e4, seconds: 60.0, memory: u64::MAX };
        let mut task = Referee::new("pictures", &mut problem, 0.0, limits, 1);
        let id = task.batch(16).unwrap();
        let loss = task.loss(id, Norm::Batch).unwrap();
        let (other, first) = task.grad(id).unwrap();
        assert!((loss - other).abs() < 1e-5, "{loss} {other}");
        let kept = first.clone();
        let seen = task.probe().unwrap();
        task.loss(id, Norm::Batch).unwrap();
        task.loss(id, Norm::Running).unwrap();
        assert_eq!(task.probe().unwrap(), seen, "a loss changes nothing");
        let mut params = task.params();
        params.add_scaled(-0.05, &first);
        task.set_params(&params).unwrap();
        assert!(task.loss(id, Norm::Batch).unwrap() < loss, "downhill");
        assert_eq!(first, kept);
        params.values_mut()[0] = f32::NAN;
        assert_eq!(task.set_params(&params), Err(Stop::Diverged));
    }
}
