//! Replay: the source pictures that the current model gets right.

use hybridrepair_core::Streams;
use hybridrepair_data::{Images, Labelled, Normalizer, TrainTransform};
use hybridrepair_torch::{Model, predict_with};
use hybridrepair_train::{At, Example, Objective, StepLoss, Supervised, SupervisedData, TrainError, Transform};
use serde::{Deserialize, Serialize};

/// How the source pictures are shown when the replay set is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayTransform {
    /// Under the random train transform, as upstream does.
    Train,
    /// As they are.
    Test,
}

/// The source data and how to choose from it.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Source pictures with labels.
    pub source: Labelled,
    /// Ends every transform.
    pub normalizer: Normalizer,
    /// The train transform.
    pub transform: TrainTransform,
    /// How pictures are shown for the choice.
    pub shown: ReplayTransform,
    /// The run's randomness.
    pub streams: Streams,
}

impl Replay {
    /// The source pictures that the model classifies correctly now, as examples of picture set 0.
    ///
    /// `round` numbers the choices of a run, so that each sees other random transforms.
    ///
    /// # Errors
    /// When the model gets none right, or libtorch fails.
    pub fn choose(&self, model: &Model, round: u64) -> Result<Vec<Example>, TrainError> {
        let images = &self.source.images;
        let size = (images.height(), images.width());
        let predictions = predict_with(model, images.len(), size, |row, out| match self.shown {
            ReplayTransform::Test => self.normalizer.apply(images.get(row), out),
            ReplayTransform::Train => {
                let mut rng = self.streams.at("replay", round, row as u64);
                self.transform.apply(images.get(row), size, &self.normalizer, &mut rng, out);
            }
        })?;
        let right = predictions.classes().into_iter().zip(&self.source.labels).enumerate();
        let chosen = right.filter(|(_, (p, t))| p == *t);
        let examples = chosen.map(|(row, (class, _))| Example { set: 0, row, class }).collect::<Vec<_>>();
        if examples.is_empty() {
            let n = images.len();
            return Err(TrainError::Empty(format!("the model gets none of the {n} source pictures right")));
        }
        Ok(examples)
    }

    /// Source pictures under the train transform, then field pictures as they are.
    pub fn data(&self, field: Option<&Images>) -> SupervisedData {
        let mut sets = vec![(self.source.images.clone(), Transform::Train(self.transform))];
        sets.extend(field.map(|images| (images.clone(), Transform::Test)));
        SupervisedData { sets, normalizer: self.normalizer.clone() }
    }
}

/// The preliminary fine-tune: cross-entropy on the replay set, chosen anew at the beginning of each epoch
/// (see `docs/fidelity.md`). Its accuracy is the "before" of every method.
#[derive(Debug)]
pub struct ReplayOnly {
    replay: Replay,
    inner: Supervised,
    chosen: usize,
}

impl ReplayOnly {
    /// Replay in batches of `batch_size`, the last smaller one left out.
    ///
    /// # Errors
    /// When the source is empty.
    pub fn new(replay: Replay, batch_size: usize) -> Result<Self, TrainError> {
        let all = (0..replay.source.images.len())
            .map(|row| Example { set: 0, row, class: replay.source.labels[row] })
            .collect();
        let inner = Supervised::new(replay.data(None), all, batch_size, replay.streams, "replay-only")?.drop_last();
        Ok(Self { replay, inner, chosen: 0 })
    }
}

impl Objective for ReplayOnly {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn begin_epoch(&mut self, model: &Model, epoch: usize) -> Result<(), TrainError> {
        // rounds above 2^32 keep this choice apart from those of the repair epochs
        let examples = self.replay.choose(model, (1 << 32) + epoch as u64)?;
        self.chosen = examples.len();
        self.inner.set_examples(examples);
        self.inner.begin_epoch(model, epoch)
    }

    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        self.inner.step(model, at)
    }

    fn planned_steps(&self) -> usize {
        self.inner.planned_steps()
    }

    fn end_epoch(&mut self, _: &Model, _: usize) -> Result<Vec<(String, f64)>, TrainError> {
        Ok(vec![("replay".to_owned(), self.chosen as f64)])
    }
}
