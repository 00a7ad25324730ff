use crate::{At, Objective, StepLoss, TrainError, cross_entropy, shuffled_batches};
use hybridrepair_core::{ClassId, Streams};
use hybridrepair_data::{Images, Normalizer, RandAugment, TrainTransform};
use hybridrepair_torch::{Kind, Model, Tensor, class_tensor, nhwc_tensor};
use rayon::prelude::*;

/// How a picture becomes network input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transform {
    /// Normalised only.
    Test,
    /// Random flip and crop, then normalised.
    Train(TrainTransform),
    /// Some random operations and a grey square as well.
    Strong(RandAugment),
}

/// One labelled picture of a [`SupervisedData`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example {
    /// Which of the picture sets.
    pub set: usize,
    /// Its row there.
    pub row: usize,
    /// Its class.
    pub class: ClassId,
}

/// Labelled pictures from one or more sets (training data, field pool), each set with its transform.
#[derive(Clone, Debug)]
pub struct SupervisedData {
    /// The picture sets and their transforms; all pictures have one size.
    pub sets: Vec<(Images, Transform)>,
    /// The test transform, which ends every transform.
    pub normalizer: Normalizer,
}

impl SupervisedData {
    /// Input and target of some examples. `stream` names the randomness of the transforms, one number per slot.
    pub fn batch(&self, examples: &[Example], streams: Streams, name: &str, at: At, model: &Model) -> (Tensor, Tensor) {
        let first = &self.sets[0].0;
        let stride = first.stride();
        let mut pixels = vec![0f32; examples.len() * stride];
        pixels.par_chunks_exact_mut(stride).zip(examples).enumerate().for_each(|(slot, (out, e))| {
            let (images, transform) = &self.sets[e.set];
            let (image, size) = (images.get(e.row), (images.height(), images.width()));
            let rng = || streams.at(name, at.epoch as u64, (at.step as u64) << 20 | slot as u64);
            match transform {
                Transform::Test => self.normalizer.apply(image, out),
                Transform::Train(t) => t.apply(image, size, &self.normalizer, &mut rng(), out),
                Transform::Strong(t) => {
                    let mut scratch = [Vec::new(), Vec::new()];
                    t.apply(image, size, &self.normalizer, &mut rng(), &mut scratch, out);
                }
            }
        });
        let classes = examples.iter().map(|e| e.class).collect::<Vec<_>>();
        let x = nhwc_tensor(&pixels, first.height(), first.width(), model.device());
        (x, class_tensor(&classes, model.device()))
    }
}

/// Cross-entropy on labelled pictures in random order, with optional label smoothing.
#[derive(Clone, Debug)]
pub struct Supervised {
    data: SupervisedData,
    examples: Vec<Example>,
    batch_size: usize,
    smoothing: f64,
    drop_last: bool,
    streams: Streams,
    name: String,
    batches: Vec<Vec<usize>>,
    /// Examples of this epoch that were answered right, and right among five, before the step that learned from them, and all.
    right: (i64, i64, i64),
}

impl Supervised {
    /// Examples in batches. `name` separates this objective's randomness from others of the run.
    ///
    /// # Errors
    /// When there are no examples or the batch size is 0.
    pub fn new(
        data: SupervisedData,
        examples: Vec<Example>,
        batch_size: usize,
        streams: Streams,
        name: &str,
    ) -> Result<Self, TrainError> {
        if batch_size == 0 {
            return Err(TrainError::Setting { what: "batch size", given: "0".to_owned(), why: "is not above 0" });
        }
        if examples.is_empty() {
            return Err(TrainError::Empty(format!("{name} has no labelled picture")));
        }
        let name = name.to_owned();
        let (batches, right) = (Vec::new(), (0, 0, 0));
        Ok(Self { data, examples, batch_size, smoothing: 0.0, drop_last: false, streams, name, batches, right })
    }

    /// Label smoothing (see [`cross_entropy`]).
    #[must_use]
    pub fn smoothing(mut self, eps: f64) -> Self {
        self.smoothing = eps;
        self
    }

    /// Leaves out the last, smaller batch of an epoch, unless it is the only one.
    #[must_use]
    pub fn drop_last(mut self) -> Self {
        self.drop_last = true;
        self
    }

    /// Exchanges the examples, for instance when the replay set changes.
    pub fn set_examples(&mut self, examples: Vec<Example>) {
        self.examples = examples;
    }

    /// The data behind the examples.
    pub fn data(&self) -> &SupervisedData {
        &self.data
    }
}

impl Objective for Supervised {
    fn name(&self) -> &'static str {
        "supervised"
    }

    fn begin_epoch(&mut self, _: &Model, epoch: usize) -> Result<(), TrainError> {
        let mut rng = self.streams.at(&format!("{}.order", self.name), epoch as u64, 0);
        self.batches = shuffled_batches(self.examples.len(), self.batch_size, self.drop_last, &mut rng);
        self.right = (0, 0, 0);
        Ok(())
    }

    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        let Some(batch) = self.batches.get(at.step) else { return Ok(None) };
        let examples = batch.iter().map(|&i| self.examples[i]).collect::<Vec<_>>();
        let (x, y) = self.data.batch(&examples, self.streams, &self.name, at, model);
        let logits = model.forward(&x, true).logits;
        let loss = cross_entropy(&logits, &y, self.smoothing);
        let (_, best) = logits.detach().topk(logits.size()[1].min(5), -1, true, true);
        let hits = best.eq_tensor(&y.unsqueeze(1));
        let count = |hits: &Tensor| hits.sum(Kind::Int64).int64_value(&[]);
        let (right, among_five, all) = self.right;
        self.right = (right + count(&hits.select(1, 0)), among_five + count(&hits), all + examples.len() as i64);
        Ok(Some(StepLoss { loss, images_trained: examples.len() as u64, images_forward: 0 }))
    }

    fn planned_steps(&self) -> usize {
        self.batches.len()
    }

    fn end_epoch(&mut self, _: &Model, _: usize) -> Result<Vec<(String, f64)>, TrainError> {
        let (right, among_five, all) = self.right;
        let share = |hits: i64| hits as f64 / all.max(1) as f64;
        Ok(vec![("train_acc".to_owned(), share(right)), ("train_acc5".to_owned(), share(among_five))])
    }
}
