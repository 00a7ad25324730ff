use crate::{
    ConsistencySettings, Draw, FinetuneError, RepairSettings, Replay, UnlabelledStream,
    consistency::{ConsistencyBatch, consistency_loss},
};
use hybridrepair_core::{ClassId, PoolIdx, RepairSet};
use hybridrepair_data::{Images, Normalization, ViewMaker};
use hybridrepair_torch::{Model, Tensor, class_tensor, predict_views};
use hybridrepair_train::{At, Example, Objective, StepLoss, Supervised, TrainError, shuffled_batches, smooth_one_hot};
use rayon::prelude::*;

/// What repair training works on.
#[derive(Clone, Debug)]
pub struct RepairData {
    /// Source data with labels and how replay is chosen from it.
    pub replay: Replay,
    /// The field pool.
    pub field: Images,
    /// Channel statistics of the views.
    pub normalization: Normalization,
    /// Labels and weights of the pool.
    pub set: RepairSet,
    /// How the unlabelled stream is made.
    pub stream: UnlabelledStream,
    /// The views by which unsmoothness is measured: the same in every epoch.
    pub probe: ViewMaker,
}

/// The published repair epoch: a label-smoothed supervised pass over replay and field labels, then a consistency pass
/// over replay and weighted field pictures (`HybridRepair`, section 3; see `docs/fidelity.md`).
#[derive(Debug)]
pub struct TwoPass {
    data: RepairData,
    settings: RepairSettings,
    first: Supervised,
    second: Option<Second>,
    replayed: usize,
}

/// State of the consistency pass.
#[derive(Debug)]
struct Second {
    settings: ConsistencySettings,
    draw: Draw,
    views: ViewMaker,
    /// Sampling weight of each pool row at epoch 0, and whether its weight stays.
    start: Vec<f32>,
    fixed: Vec<bool>,
    known: Vec<Option<ClassId>>,
    weights: Vec<f32>,
    labelled: Vec<Vec<Example>>,
    draws: Vec<usize>,
    steps: usize,
    /// Unsmoothness after an epoch, waiting to become the weights of the next.
    unsmoothness: Option<(usize, Vec<f32>)>,
}

impl TwoPass {
    /// Prepares repair training.
    ///
    /// # Errors
    /// When a setting or the repair set is invalid.
    pub fn new(data: RepairData, settings: RepairSettings) -> Result<Self, FinetuneError> {
        settings.check()?;
        data.set.check(data.field.len())?;
        let streams = data.replay.streams;
        let everything = field_examples(&data.set)
            .chain((0..data.replay.source.images.len()).map(|row| {
                let class = data.replay.source.labels[row];
                Example { set: 0, row, class }
            }))
            .collect();
        let first =
            Supervised::new(data.replay.data(Some(&data.field)), everything, settings.batch_size, streams, "pass-1")?
                .smoothing(settings.smoothing)
                .drop_last();
        let second = settings.consistency.clone().map(|c| Second::new(&data, c)).transpose()?;
        Ok(Self { data, settings, first, second, replayed: 0 })
    }
}

impl Objective for TwoPass {
    fn name(&self) -> &'static str {
        if self.second.is_some() { "published" } else { "supervised-finetune" }
    }

    fn begin_epoch(&mut self, model: &Model, epoch: usize) -> Result<(), TrainError> {
        let mut examples = self.data.replay.choose(model, 2 * epoch as u64)?;
        self.replayed = examples.len();
        examples.extend(field_examples(&self.data.set));
        self.first.set_examples(examples);
        self.first.begin_epoch(model, epoch)?;
        if let Some(second) = &mut self.second {
            second.refresh_weights(model, &self.data, epoch)?;
            second.steps = second.planned(self.replayed, self.settings.batch_size);
        }
        Ok(())
    }

    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        if let Some(step) = self.first.step(model, at)? {
            return Ok(Some(step));
        }
        let Some(second) = &mut self.second else { return Ok(None) };
        let step = at.step - self.first.planned_steps();
        if step == 0 {
            // the model has moved since the first pass: upstream chooses the replay set again
            let replay = self.data.replay.choose(model, 2 * at.epoch as u64 + 1)?;
            second.begin(&self.data, &replay, at.epoch, self.settings.batch_size);
        }
        if step >= second.steps {
            return Ok(None);
        }
        let batch = self.settings.batch_size;
        Ok(Some(second.step(model, &self.data, self.settings.smoothing, At { step, ..at }, batch)))
    }

    fn planned_steps(&self) -> usize {
        self.first.planned_steps() + self.second.as_ref().map_or(0, |s| s.steps)
    }

    fn end_epoch(&mut self, model: &Model, epoch: usize) -> Result<Vec<(String, f64)>, TrainError> {
        let mut readings = vec![("replay".to_owned(), self.replayed as f64)];
        // the replay set is chosen before each pass, from a prediction of the whole source
        let passes = 1 + usize::from(self.second.is_some());
        let mut forward = (passes * self.data.replay.source.images.len()) as u64;
        // without weights that follow the model nobody asks for its unsmoothness
        if let Some(second) = self.second.as_mut().filter(|s| s.draw == Draw::Weighted) {
            let rows = (0..self.data.field.len()).collect::<Vec<_>>();
            let size = (self.data.field.height(), self.data.field.width());
            let pass = predict_views(model, &self.data.probe, size, &rows)?;
            let u = pass.views.unsmoothness();
            let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>();
            // upstream's criterion for the best epoch, and one that is comparable between epochs
            readings.push(("unsmoothness_sum".to_owned(), mean(&u.to_vec())));
            let relative = pass.views.relative_entropy().to_vec();
            readings.push(("relative_entropy".to_owned(), mean(&relative) / rows.len() as f64));
            forward += pass.images_forward;
            second.unsmoothness = Some((epoch + 1, u.to_vec()));
        }
        readings.push(("images_forward".to_owned(), forward as f64));
        Ok(readings)
    }
}

impl Second {
    fn new(data: &RepairData, settings: ConsistencySettings) -> Result<Self, FinetuneError> {
        let n = data.field.len();
        let (mut start, mut fixed, mut known) = (vec![0.0; n], vec![false; n], vec![None; n]);
        for target in &data.set.unlabelled {
            start[target.idx.row()] = target.weight;
        }
        // labelled rows are drawn with full weight, also those whose unsmoothness is above the threshold
        for label in data.set.labels.iter().filter(|_| data.stream.labels) {
            start[label.idx.row()] = label.weight;
            fixed[label.idx.row()] = true;
            known[label.idx.row()] = Some(label.class);
        }
        let (field, streams) = (data.field.clone(), data.replay.streams);
        let views = ViewMaker::new(field, data.normalization, settings.view_config(), streams, "pass-2.views")?;
        Ok(Self {
            settings,
            draw: data.stream.draw,
            views,
            weights: start.clone(),
            start,
            fixed,
            known,
            labelled: Vec::new(),
            draws: Vec::new(),
            steps: 0,
            unsmoothness: None,
        })
    }

    /// `max(|R| / b, N / b)` steps, `N` the pictures of one time around the unlabelled stream.
    fn planned(&self, replayed: usize, batch: usize) -> usize {
        if self.weights.iter().all(|&w| w <= 0.0) {
            return 0;
        }
        (replayed / batch).max(self.draw.around(&self.weights) / batch).max(1)
    }

    /// Weights `1 - u` by the model at the beginning of the epoch; at epoch 0 those of the repair set stand.
    fn refresh_weights(&mut self, model: &Model, data: &RepairData, epoch: usize) -> Result<(), TrainError> {
        if epoch == 0 || !self.settings.dynamic_weights || self.draw != Draw::Weighted {
            return Ok(());
        }
        let u = match self.unsmoothness.take() {
            Some((at, u)) if at == epoch => u,
            // after a resume: the same numbers from the same model and the same views
            _ => {
                let rows = (0..data.field.len()).collect::<Vec<_>>();
                let size = (data.field.height(), data.field.width());
                predict_views(model, &data.probe, size, &rows)?.views.unsmoothness().to_vec()
            }
        };
        for (row, u) in u.into_iter().enumerate() {
            if self.start[row] > 0.0 && !self.fixed[row] {
                self.weights[row] = 1.0 - u;
            }
        }
        Ok(())
    }

    fn begin(&mut self, data: &RepairData, replay: &[Example], epoch: usize, batch: usize) {
        self.steps = self.planned(replay.len(), batch);
        let streams = data.replay.streams;
        let mut rng = streams.at("pass-2.labelled", epoch as u64, 0);
        // cycled: a new order each time around
        self.labelled.clear();
        while self.labelled.len() < self.steps {
            let around = shuffled_batches(replay.len(), batch, true, &mut rng);
            self.labelled.extend(around.into_iter().map(|b| b.into_iter().map(|i| replay[i]).collect()));
        }
        let mut rng = streams.at("pass-2.draws", epoch as u64, 0);
        self.draws = self.draw.rows(&self.weights, self.steps * batch, batch, &mut rng);
    }

    fn step(&self, model: &Model, data: &RepairData, smoothing: f64, at: At, batch: usize) -> StepLoss {
        let (replay, stride) = (&data.replay, data.field.stride());
        let labelled = &self.labelled[at.step];
        let rows = &self.draws[at.step * batch..(at.step + 1) * batch];
        let views = self.settings.views + 1;
        let total = labelled.len() + views * rows.len();
        let mut pixels = vec![0f32; total * stride];
        let (first, rest) = pixels.split_at_mut(labelled.len() * stride);
        let size = (data.field.height(), data.field.width());
        first.par_chunks_exact_mut(stride).zip(labelled).enumerate().for_each(|(slot, (out, e))| {
            let mut rng = replay.streams.at("pass-2", at.epoch as u64, (at.step as u64) << 20 | slot as u64);
            replay.transform.apply(replay.source.images.get(e.row), size, &replay.normalizer, &mut rng, out);
        });
        let epoch = if self.settings.fresh_views { at.epoch as u64 } else { 0 };
        // a row that is drawn twice in an epoch gets other views the second time
        self.views.fill(rows, 0..views, epoch << 32 | at.step as u64, rest);

        let classes = labelled.iter().map(|e| e.class).collect::<Vec<_>>();
        let device = model.device();
        let count = model.spec().classes as i64;
        let guess = rows.iter().map(|&r| self.known[r].unwrap_or(ClassId(0))).collect::<Vec<_>>();
        let is_known = rows.iter().map(|&r| f32::from(u8::from(self.known[r].is_some()))).collect::<Vec<_>>();
        let known = smooth_one_hot(&class_tensor(&guess, device), count, smoothing);
        let is_known = Tensor::from_slice(&is_known).view([-1, 1]).to_device(device);
        let step = ConsistencyBatch {
            pixels: Tensor::from_slice(&pixels).to_device(device).view([total as i64, stride as i64]),
            size,
            classes: &class_tensor(&classes, device),
            known: (&known, &is_known),
        };
        let mut rng = replay.streams.at("pass-2.mixup", at.epoch as u64, at.step as u64);
        let loss = consistency_loss(model, &step, &self.settings, &mut rng);
        StepLoss { loss, images_trained: total as u64, images_forward: (views * rows.len()) as u64 }
    }
}

/// The labels of the pool as examples of picture set 1.
fn field_examples(set: &RepairSet) -> impl Iterator<Item = Example> + '_ {
    set.labels.iter().map(|l| Example { set: 1, row: PoolIdx::row(l.idx), class: l.class })
}
