use super::{
    MatchRule, MatchSettings,
    alignment::Alignment,
    average::Average,
    shows::{FromKept, Kept, Origin, Pictures, Shown, Shows},
    weighting::{Weighting, top, weighting},
};
use crate::{FinetuneError, Replay};
use hybridrepair_core::{ClassId, LabelSet, Streams};
use hybridrepair_data::{Images, RandAugment};
use hybridrepair_torch::{Kind, Model, Tensor, class_tensor};
use hybridrepair_train::{At, Objective, StepLoss, TrainError, shuffled_batches};
use rand::{Rng, seq::SliceRandom};
use std::collections::BTreeMap;

/// What weak-to-strong training works on.
#[derive(Clone, Debug)]
pub struct MatchData {
    /// Source data with labels, and the weak transform.
    pub replay: Replay,
    /// The field pool.
    pub field: Images,
    /// Labels of the field.
    pub labels: LabelSet,
    /// Class frequencies that the field is believed to have, `C` numbers that sum to 1; `None` aligns nothing.
    pub prior: Option<Vec<f32>>,
}

/// What weak-to-strong training works on behind a frozen trunk.
#[derive(Debug)]
pub struct KeptData {
    /// What the trunk gave.
    pub kept: Kept,
    /// Classes of the source pictures.
    pub source: Vec<ClassId>,
    /// Labels of the field.
    pub labels: LabelSet,
    /// As in [`MatchData`].
    pub prior: Option<Vec<f32>>,
    /// The run's randomness.
    pub streams: Streams,
}

/// Weak-to-strong training from a model that is good already: one step takes replayed source pictures, labelled field
/// pictures, and strong views of other field pictures towards the class that an average of the model's past weights sees
/// in a weak view, weighted by its confidence (`FixMatch` and its heirs; the average as teacher, Tarvainen and Valpola 2017).
///
/// All pictures of a step go through the network together, so that batch norm sees both domains. The average is what is
/// kept. Behind a frozen trunk ([`Matching::behind`]) the views are some that were made before, and batch norm stays as it is.
#[derive(Debug)]
pub struct Matching {
    shows: Box<dyn Shows>,
    /// Classes of the source pictures.
    source: Vec<ClassId>,
    streams: Streams,
    settings: MatchSettings,
    weighting: Box<dyn Weighting>,
    alignment: Option<Alignment>,
    average: Option<Average>,
    /// Whether weights have moved since the average followed them.
    moved: bool,
    /// Labelled rows of the field by class.
    by_class: BTreeMap<ClassId, Vec<usize>>,
    /// Class and trust of field rows that labels were spread to.
    guide: BTreeMap<usize, (usize, f32)>,
    plan: Plan,
    sums: Sums,
}

/// The rows of each step of an epoch.
#[derive(Debug, Default)]
struct Plan {
    source: Vec<usize>,
    labelled: Vec<(usize, ClassId)>,
    unlabelled: Vec<Vec<usize>>,
}

/// What an epoch showed.
#[derive(Debug, Default)]
struct Sums {
    guesses: f64,
    weight: f64,
    confidence: f64,
}

/// Pictures per batch by which statistics are estimated.
const RESTATE: usize = 128;

impl Matching {
    /// Prepares training of all layers.
    ///
    /// # Errors
    /// When a setting, a label or the prior does not fit.
    pub fn new(data: MatchData, rule: MatchRule, settings: MatchSettings) -> Result<Self, FinetuneError> {
        let MatchData { replay, field, labels, prior } = data;
        let strong = RandAugment { ops: settings.ops, cutout: settings.cutout, weak: replay.transform };
        let (source, streams) = (replay.source.labels.clone(), replay.streams);
        let shows = Box::new(Pictures { replay, field, strong });
        Self::of(shows, source, &labels, prior.as_deref(), streams, rule, settings)
    }

    /// Prepares training of what lies behind a frozen trunk.
    ///
    /// # Errors
    /// As [`Matching::new`].
    pub fn behind(data: KeptData, rule: MatchRule, settings: MatchSettings) -> Result<Self, FinetuneError> {
        let KeptData { kept, source, labels, prior, streams } = data;
        let shows = Box::new(FromKept { kept, streams });
        Self::of(shows, source, &labels, prior.as_deref(), streams, rule, settings)
    }

    fn of(
        shows: Box<dyn Shows>,
        source: Vec<ClassId>,
        labels: &LabelSet,
        prior: Option<&[f32]>,
        streams: Streams,
        rule: MatchRule,
        settings: MatchSettings,
    ) -> Result<Self, FinetuneError> {
        settings.check()?;
        let [_, n] = shows.counts();
        let mut by_class = BTreeMap::<ClassId, Vec<usize>>::new();
        for label in labels.iter() {
            if label.idx.row() >= n {
                return Err(hybridrepair_core::CoreError::OutsidePool { idx: label.idx, len: n }.into());
            }
            by_class.entry(label.class).or_default().push(label.idx.row());
        }
        Ok(Self {
            weighting: weighting(rule, settings.threshold),
            alignment: prior.filter(|_| settings.align).map(Alignment::new),
            average: None,
            moved: false,
            by_class,
            guide: BTreeMap::new(),
            plan: Plan::default(),
            sums: Sums::default(),
            shows,
            source,
            streams,
            settings,
        })
    }

    /// Guesses begin from labels that were spread over the field, each by its weight times [`MatchSettings::guide`], which fades to
    /// nothing over the epochs (prior pseudo-labels, Cai et al. 2022).
    #[must_use]
    pub fn guided(mut self, spread: &LabelSet) -> Self {
        self.guide = spread.iter().map(|l| (l.idx.row(), (l.class.column(), l.weight))).collect();
        self
    }

    /// Mixes a guess with the class that labels were spread to.
    fn lead(&self, row: usize, guess: &mut [f32], epoch: usize) {
        let fade = 1.0 - epoch as f64 / self.settings.epochs.max(1) as f64;
        let Some(&(class, trust)) = self.guide.get(&row) else { return };
        let share = (self.settings.guide * fade.max(0.0)) as f32 * trust;
        for p in guess.iter_mut() {
            *p *= 1.0 - share;
        }
        if let Some(p) = guess.get_mut(class) {
            *p += share;
        }
    }

    /// What some rows are guessed to be, `n x C`, and the weights of the guesses.
    fn guess(&mut self, rows: &[usize], at: At) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
        let weak = rows.iter().map(|&row| Shown { from: Origin::Field, row, strong: false }).collect::<Vec<_>>();
        let teacher = &self.average.as_ref().ok_or_else(no_average)?.model;
        let input = self.shows.input(&weak, "match.weak", at, teacher);
        let logits = tch::no_grad(|| self.shows.logits(teacher, &input, false));
        let probs = logits.softmax(-1, Kind::Float).to_device(tch::Device::Cpu).contiguous();
        let classes = probs.size()[1] as usize;
        let mut numbers = vec![0f32; probs.numel()];
        probs.copy_data(&mut numbers, probs.numel());
        if let Some(alignment) = &mut self.alignment {
            alignment.align(&mut numbers);
        }
        if self.settings.guide > 0.0 {
            for (guess, &row) in numbers.chunks_exact_mut(classes).zip(rows) {
                self.lead(row, guess, at.epoch);
            }
        }
        let weights = self.weighting.weigh(&numbers, classes);
        self.sums.guesses += rows.len() as f64;
        self.sums.weight += weights.iter().map(|&w| f64::from(w)).sum::<f64>();
        self.sums.confidence += numbers.chunks_exact(classes).map(|row| f64::from(top(row).1)).sum::<f64>();
        for row in numbers.chunks_exact_mut(classes) {
            sharpen(row, self.settings.temperature);
        }
        Ok((numbers, weights))
    }
}

impl Matching {
    /// Estimates the batch-norm statistics of the average on weak views.
    fn restate(&self, epoch: usize) -> Result<(), TrainError> {
        let teacher = &self.average.as_ref().ok_or_else(no_average)?.model;
        let mut rng = self.streams.at("match.restate", epoch as u64, 0);
        let [source, field] = self.shows.counts();
        for step in 0..self.restated() {
            let mut shown = Vec::with_capacity(RESTATE);
            for (from, n) in [(Origin::Source, source), (Origin::Field, field)] {
                shown.extend((0..RESTATE / 2).map(|_| Shown { from, row: rng.gen_range(0..n), strong: false }));
            }
            let input = self.shows.input(&shown, "match.restate.views", At { epoch, step }, teacher);
            // in train mode the statistics move, also without gradients
            let _ = tch::no_grad(|| self.shows.logits(teacher, &input, true));
        }
        Ok(())
    }

    /// Lets the average follow the step before.
    fn follow(&mut self, model: &Model) -> Result<(), TrainError> {
        if std::mem::take(&mut self.moved) {
            self.average.as_mut().ok_or_else(no_average)?.follow(model);
        }
        Ok(())
    }

    /// Batches by which statistics are estimated after an epoch.
    fn restated(&self) -> usize {
        if self.shows.moves_statistics() { self.settings.restate } else { 0 }
    }
}

/// Raises a distribution to `1 / temperature`; at 0 its top class takes all.
fn sharpen(row: &mut [f32], temperature: f64) {
    let (best, highest) = top(row);
    let power = |p: f32| if temperature > 0.0 { f64::from(p / highest).powf(1.0 / temperature) as f32 } else { 0.0 };
    for p in row.iter_mut() {
        *p = power(*p);
    }
    row[best] = 1.0;
    let sum = row.iter().sum::<f32>();
    for p in row {
        *p /= sum;
    }
}

fn no_average() -> TrainError {
    TrainError::Empty("training was stepped before an epoch was begun".to_owned())
}

impl Objective for Matching {
    fn name(&self) -> &'static str {
        "matching"
    }

    fn begin_epoch(&mut self, model: &Model, epoch: usize) -> Result<(), TrainError> {
        if self.average.is_none() {
            self.average = Some(Average::of(model, self.settings.ema)?);
        }
        self.sums = Sums::default();
        let (s, streams) = (&self.settings, self.streams);
        let [n, field] = self.shows.counts();
        let order = |name: &str| streams.at(name, epoch as u64, 0);
        let mut rng = order("match.order");
        let mut unlabelled = shuffled_batches(field, s.unlabelled, true, &mut rng);
        for _ in 1..s.around {
            unlabelled.extend(shuffled_batches(field, s.unlabelled, true, &mut rng));
        }
        let steps = unlabelled.len();
        let (mut source, mut rng) = (Vec::with_capacity(steps * s.source + n), order("match.source"));
        while source.len() < steps * s.source {
            let mut around = (0..n).collect::<Vec<_>>();
            around.shuffle(&mut rng);
            source.extend(around);
        }
        // classes take turns, and the labels of a class among themselves
        let (mut labelled, mut rng) = (Vec::new(), order("match.labelled"));
        let mut waiting = self.by_class.clone();
        while !self.by_class.is_empty() && labelled.len() < steps * s.labelled {
            let mut classes = self.by_class.keys().copied().collect::<Vec<_>>();
            classes.shuffle(&mut rng);
            for class in classes {
                let rows = waiting.entry(class).or_default();
                if rows.is_empty() {
                    rows.clone_from(&self.by_class[&class]);
                }
                rows.shuffle(&mut rng);
                labelled.extend(rows.pop().map(|row| (row, class)));
            }
        }
        self.plan = Plan { source, labelled, unlabelled };
        Ok(())
    }

    fn step(&mut self, model: &Model, at: At) -> Result<Option<StepLoss>, TrainError> {
        self.follow(model)?;
        let Some(rows) = self.plan.unlabelled.get(at.step).cloned() else { return Ok(None) };
        let (guesses, weights) = self.guess(&rows, at)?;

        let part = |n: usize| at.step * n..(at.step + 1) * n;
        let source = &self.plan.source[part(self.settings.source)];
        let labelled = self.plan.labelled.get(part(self.settings.labelled)).unwrap_or_default();
        let mut known = source.iter().map(|&r| self.source[r]).collect::<Vec<_>>();
        known.extend(labelled.iter().map(|(_, class)| *class));
        let field = |row: usize, strong| Shown { from: Origin::Field, row, strong };
        let shown = source.iter().map(|&row| Shown { from: Origin::Source, row, strong: false });
        let shown = shown
            .chain(labelled.iter().map(|(r, _)| field(*r, self.settings.strong_labels)))
            .chain(rows.iter().map(|&r| field(r, true)))
            .collect::<Vec<_>>();
        let input = self.shows.input(&shown, "match.strong", at, model);

        let logits = self.shows.logits(model, &input, true);
        let (n, u) = (known.len() as i64, rows.len() as i64);
        let device = model.device();
        let guessed = Tensor::from_slice(&guesses).to_device(device).view([u, -1]);
        let each = -(logits.narrow(0, n, u).log_softmax(-1, Kind::Float) * guessed).sum_dim_intlist(
            [-1i64].as_slice(),
            false,
            Kind::Float,
        );
        let weights = Tensor::from_slice(&weights).to_device(device);
        let mut loss = (each * weights).mean(Kind::Float) * self.settings.weight;
        if n > 0 {
            loss += logits.narrow(0, 0, n).cross_entropy_for_logits(&class_tensor(&known, device));
        }
        self.moved = true;
        Ok(Some(StepLoss { loss, images_trained: (n + u) as u64, images_forward: u as u64 }))
    }

    fn planned_steps(&self) -> usize {
        self.plan.unlabelled.len()
    }

    fn end_epoch(&mut self, model: &Model, epoch: usize) -> Result<Vec<(String, f64)>, TrainError> {
        // an epoch that a limit ends has asked for no further step
        self.follow(model)?;
        self.restate(epoch)?;
        let of = |sum: f64| sum / self.sums.guesses.max(1.0);
        Ok(vec![
            ("guess_weight".to_owned(), of(self.sums.weight)),
            ("guess_confidence".to_owned(), of(self.sums.confidence)),
            ("images_forward".to_owned(), (self.restated() * RESTATE) as f64),
        ])
    }

    fn averaged(&self) -> Option<&Model> {
        self.average.as_ref().map(|a| &a.model)
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let numbers = |name: &str, values: &[f64]| (name.to_owned(), Tensor::from_slice(values));
        let mut state = vec![numbers("weighting", &self.weighting.state())];
        state.extend(self.alignment.as_ref().map(|a| numbers("alignment", a.state())));
        let average = self.average.iter().flat_map(Average::state);
        state.extend(average.map(|(name, tensor)| (format!("average.{name}"), tensor)));
        state
    }

    fn load_state(&mut self, state: &[(String, Tensor)], model: &Model) -> Result<(), TrainError> {
        let numbers = |name: &str| -> Vec<f64> {
            let found = state.iter().find(|(n, _)| n == name);
            found.and_then(|(_, t)| Vec::try_from(t.to_kind(Kind::Double)).ok()).unwrap_or_default()
        };
        self.weighting.load_state(&numbers("weighting"));
        if let Some(alignment) = &mut self.alignment {
            alignment.load_state(&numbers("alignment"));
        }
        let tensors =
            state.iter().filter_map(|(n, t)| Some((n.strip_prefix("average.")?.to_owned(), t.shallow_clone())));
        let average = Average::of(model, self.settings.ema)?;
        average.model.params().restore(&tensors.collect::<Vec<_>>())?;
        self.average = Some(average);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::sharpen;

    #[test]
    fn sharpening_by_hand() {
        let sharpened = |temperature| {
            let mut row = [0.2, 0.6, 0.2];
            sharpen(&mut row, temperature);
            row.map(|p| (p * 1e4).round())
        };
        assert_eq!(sharpened(0.0), [0.0, 1e4, 0.0]);
        assert_eq!(sharpened(1.0), [2000.0, 6000.0, 2000.0]);
        // squares 0.04, 0.36, 0.04
        assert_eq!(sharpened(0.5), [909.0, 8182.0, 909.0]);
    }
}
