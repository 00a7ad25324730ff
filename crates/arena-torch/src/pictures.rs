//! A network of pictures as a problem.

use crate::{Judged, Lesson, MakeModel, Start};
use hybridrepair_arena::{ArenaError, Examples, Norm, ParamLayout, Part, Problem, Sizes};
use hybridrepair_core::{ClassId, Streams};
use hybridrepair_data::Normalizer;
use hybridrepair_torch::{Device, Kind, Model, Tensor, TorchError, class_tensor, load_checkpoint, nhwc_tensor};
use std::sync::Arc;
use tch::{Reduction, no_grad};

/// Pictures judged at a time.
const CHUNK: usize = 250;

/// A network of pictures as a problem of the arena. The loss is cross-entropy, in training times the weight of each picture.
pub struct PictureProblem {
    model: Model,
    fresh: Option<MakeModel>,
    /// All tensors of the checkpoint; running statistics are among them.
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
    /// When it cannot be, or channel statistics are out of range.
    pub fn new(
        start: &Start,
        lesson: Arc<Lesson>,
        target: Arc<Judged>,
        holdout: Arc<Judged>,
        device: Device,
    ) -> Result<Self, ArenaError> {
        let streams = Streams::new(0);
        let wrong = |e: TorchError| ArenaError::Model(e.into());
        let (model, fresh) = match start {
            Start::Fresh(make) => (make(device, streams).map_err(wrong)?, Some(make.clone())),
            Start::Checkpoint(path) => (load_checkpoint(path, device).map_err(wrong)?.0, None),
        };
        let shape = |t: &Tensor| t.size().iter().map(|&n| n as usize).collect::<Vec<_>>();
        let layout = ParamLayout::new(model.params().trained().map(|(name, t)| (name.to_owned(), shape(t))));
        let normalizer = Normalizer::new(lesson.normalization)?;
        let begin = if fresh.is_some() { Vec::new() } else { model.params().snapshot() };
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

    /// One value per trained tensor, flat.
    fn flat(&self, value: impl Fn(&Tensor) -> Tensor) -> Vec<f32> {
        let mut values = vec![0.0; self.layout.len()];
        for ((_, tensor), slot) in self.model.params().trained().zip(self.layout.slots()) {
            let plain = value(tensor).detach().to_device(Device::Cpu).contiguous().view([-1]);
            plain.copy_data(&mut values[slot.start..slot.start + slot.len], slot.len);
        }
        values
    }

    /// Loss of a batch under augmentation, a scalar with its graph.
    fn batch_loss(&self, examples: Examples<'_>, train: bool) -> Tensor {
        let lesson = &self.lesson;
        let (stride, size) = (lesson.images.stride(), (lesson.images.height(), lesson.images.width()));
        let mut pixels = vec![0.0; examples.rows.len() * stride];
        let mut scratch = [Vec::new(), Vec::new()];
        for (out, &row) in pixels.chunks_exact_mut(stride).zip(examples.rows) {
            // by pass and row: a batch is the same whenever it is asked for
            let mut stream = self.streams.at("arena.augment", examples.epoch, row as u64);
            lesson.transform.apply(lesson.images.get(row), size, &self.normalizer, &mut stream, &mut scratch, out);
        }
        let device = self.model.device();
        let x = nhwc_tensor(&pixels, size.0, size.1, device);
        let classes: Vec<ClassId> = examples.rows.iter().map(|&r| lesson.classes[r]).collect();
        let weights: Vec<f32> = examples.rows.iter().map(|&r| lesson.weights[r]).collect();
        let logits = self.model.forward(&x, train).logits;
        let each = logits.cross_entropy_loss(&class_tensor(&classes, device), no_weights(), Reduction::None, -100, 0.0);
        (each * Tensor::from_slice(&weights).to_device(device)).mean(Kind::Float)
    }

    /// What is not trained, running statistics that is, each with a copy of its values.
    fn buffers(&self) -> Vec<(Tensor, Tensor)> {
        let trained: Vec<&str> = self.model.params().trained().map(|(name, _)| name).collect();
        let buffers = self.model.params().all().filter(|(name, _)| !trained.contains(name));
        buffers.map(|(_, t)| (t.shallow_clone(), t.detach().copy())).collect()
    }
}

/// Classes count alike.
fn no_weights() -> Option<Tensor> {
    None
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
        match &self.fresh {
            Some(make) => {
                // it was made once with these settings, and so it is made again; if not, the run ends as one that left the numbers
                match make(self.model.device(), streams) {
                    Ok(model) => self.model = model,
                    Err(_) => return vec![f32::NAN; self.layout.len()],
                }
            }
            None => {
                // of the same model, so that they fit
                if self.model.params().restore(&self.begin).is_err() {
                    return vec![f32::NAN; self.layout.len()];
                }
            }
        }
        self.flat(Tensor::shallow_clone)
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
        let grads = self.flat(|t| {
            let grad = t.grad();
            if grad.defined() { grad } else { t.zeros_like() }
        });
        (loss.double_value(&[]), grads)
    }

    fn judge(&self, params: &[f32], part: Part) -> f64 {
        self.set(params);
        let judged = if part == Part::Target { &self.target } else { &self.holdout };
        let (images, device) = (&judged.images, self.model.device());
        let stride = images.stride();
        let chunks = images.as_slice().chunks(CHUNK * stride).zip(judged.classes.chunks(CHUNK));
        let sum: f64 = no_grad(|| {
            chunks
                .map(|(bytes, classes)| {
                    let mut pixels = vec![0.0; bytes.len()];
                    self.normalizer.apply(bytes, &mut pixels);
                    let x = nhwc_tensor(&pixels, images.height(), images.width(), device);
                    let logits = self.model.forward(&x, false).logits;
                    let classes = class_tensor(classes, device);
                    logits.cross_entropy_loss(&classes, no_weights(), Reduction::Sum, -100, 0.0).double_value(&[])
                })
                .sum()
        });
        sum / judged.classes.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hybridrepair_arena::{Limits, Referee, Stop, Task};
    use hybridrepair_data::{SignsSpec, TrainTransform, signs};
    use hybridrepair_torch::{Arch, CheckpointMeta, ModelSpec, save_checkpoint};

    const LIMITS: Limits = Limits { work: 1e4, seconds: 60.0, memory: u64::MAX };
    const SPEC: ModelSpec = ModelSpec { arch: Arch::MobileNet, width: 0.1, classes: 16 };

    fn problem_of(start: &Start) -> PictureProblem {
        let drawn = signs(&SignsSpec { train: 48, val: 32, field: 0, holdout: 0, ..SignsSpec::standard() }).unwrap();
        let lesson = Lesson {
            weights: vec![1.0; drawn.train.labels.len()],
            images: drawn.train.images,
            classes: drawn.train.labels,
            transform: Lesson::plain(TrainTransform { flip: false, padding: 2 }),
            normalization: drawn.normalization,
            batch: 16,
        };
        let judged = Arc::new(Judged { images: drawn.val.images, classes: drawn.val.labels });
        PictureProblem::new(start, Arc::new(lesson), judged.clone(), judged, Device::Cpu).unwrap()
    }

    fn fresh() -> Start {
        Start::Fresh(Arc::new(|device, streams| Model::new(SPEC, device, streams)))
    }

    #[test]
    fn oracles_keep_their_promises_on_libtorch_too() {
        let mut problem = problem_of(&fresh());
        let mut task = Referee::new("pictures", &mut problem, 0.0, LIMITS, 1);
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

    /// A gradient and what is seen after it, from a fresh beginning.
    fn run(problem: &mut PictureProblem, seed: u64) -> (f64, Vec<f32>, f64) {
        let mut task = Referee::new("pictures", problem, 0.0, LIMITS, seed);
        let id = task.batch(16).unwrap();
        let (loss, grad) = task.grad(id).unwrap();
        (loss, grad.values().to_vec(), task.probe().unwrap())
    }

    #[test]
    fn a_run_leaves_no_trace_in_the_next_from_a_draw_or_a_checkpoint() {
        let dir = std::env::temp_dir().join(format!("arena-torch-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("model.safetensors");
        let model = Model::new(SPEC, Device::Cpu, Streams::new(7)).unwrap();
        let normalization = hybridrepair_data::Normalization { mean: [0.5; 3], std: [0.2; 3] };
        let meta = CheckpointMeta {
            spec: SPEC,
            class_names: SignsSpec::class_names(),
            normalization,
            input: [32, 32],
            dataset: "signs".to_owned(),
            script: None,
        };
        save_checkpoint(&path, &model, &meta, false).unwrap();
        for start in [fresh(), Start::Checkpoint(path)] {
            let mut problem = problem_of(&start);
            let first = run(&mut problem, 3);
            assert_ne!(first, run(&mut problem, 4));
            assert_eq!(first, run(&mut problem, 3), "{start:?}");
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn an_example_counts_its_weight() {
        let mut problem = problem_of(&fresh());
        let params = problem.begin(Streams::new(0));
        let loss = |p: &PictureProblem, rows: &[usize]| p.loss(&params, Examples { rows, epoch: 0 }, Norm::Running);
        let [a, b] = [0, 1].map(|row| loss(&problem, &[row]));
        let mut lesson = (*problem.lesson).clone();
        lesson.weights[1] = 0.25;
        problem.lesson = Arc::new(lesson);
        assert!((2.0 * loss(&problem, &[0, 1]) - (a + 0.25 * b)).abs() < 2e-5);
    }
}
