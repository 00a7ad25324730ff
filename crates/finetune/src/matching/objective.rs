use super::{MatchRule, MatchSettings, alignment::Alignment, average::Average, weighting::Weighting, weighting::top};
use crate::{FinetuneError, Replay, matching::weighting::weighting};
use hybridrepair_core::{ClassId, LabelSet};
use hybridrepair_data::{Images, RandAugment};
use hybridrepair_torch::{Kind, Model, Tensor, class_tensor, nhwc_tensor};
use hybridrepair_train::{At, Objective, StepLoss, TrainError, shuffled_batches};
use rand::{Rng, seq::SliceRandom};
use rayon::prelude::*;
use std::{cell::RefCell, collections::BTreeMap};

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

/// Weak-to-strong training from a model that is good already: one step takes replayed source pictures, labelled field
/// pictures, and strong views of other field pictures towards the class that an average of the model's past weights sees
/// in a weak view, weighted by its confidence (`FixMatch` and its heirs; the average as teacher, Tarvainen and Valpola 2017).
///
/// All pictures of a step go through the network together, so that batch norm sees both domains. The average is what is
/// kept.
#[derive(Debug)]
pub struct Matching {
    data: MatchData,
    settings: MatchSettings,
    strong: RandAugment,
    weighting: Box<dyn Weighting>,
    alignment: Option<Alignment>,
    average: Option<Average>,
    /// Labelled rows of the field by class.
    by_class: BTreeMap<ClassId, Vec<usize>>,
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

/// How a picture of a step is shown, and where its randomness comes from.
struct Shown<'a> {
    image: &'a [u8],
    strong: bool,
}

/// Pictures per batch by which statistics are estimated.
const RESTATE: usize = 128;

thread_local! {
    /// Working space of a thread.
    static SCRATCH: RefCell<[Vec<u8>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

impl Matching {
    /// Prepares training.
    ///
    /// # Errors
    /// When a setting, a label or the prior does not fit.
    pub fn new(data: MatchData, rule: MatchRule, settings: MatchSettings) -> Result<Self, FinetuneError> {
        settings.check()?;
        let n = data.field.len();
        let mut by_class = BTreeMap::<ClassId, Vec<usize>>::new();
        for label in data.labels.iter() {
            if label.idx.row() >= n {
                return Err(hybridrepair_core::CoreError::OutsidePool { idx: label.idx, len: n }.into());
            }
            by_class.entry(label.class).or_default().push(label.idx.row());
        }
        let strong = RandAugment { ops: settings.ops, cutout: settings.cutout, weak: data.replay.transform };
        Ok(Self {
            strong,
            weighting: weighting(rule, settings.threshold),
            alignment: data.prior.as_deref().filter(|_| settings.align).map(Alignment::new),
            average: None,
            by_class,
            plan: Plan::default(),
            sums: Sums::default(),
            data,
            settings,
        })
    }

    /// Pictures under their transforms, one after the other; `purpose` names the randomness.
    fn pixels(&self, shown: &[Shown<'_>], purpose: &str, at: At) -> Vec<f32> {
        let field = &self.data.field;
        let (size, stride) = ((field.height(), field.width()), field.stride());
        // taken apart: the model in `self` must not be seen by other threads
        let (replay, strong) = (&self.data.replay, self.strong);
        let mut pixels = vec![0f32; shown.len() * stride];
        pixels.par_chunks_exact_mut(stride).zip(shown).enumerate().for_each(|(slot, (out, shown))| {
            let mut rng = replay.streams.at(purpose, at.epoch as u64, (at.step as u64) << 20 | slot as u64);
            if shown.strong {
                let apply = |scratch: &mut [Vec<u8>; 2]| {
                    strong.apply(shown.image, size, &replay.normalizer, &mut rng, scratch, out);
                };
                SCRATCH.with_borrow_mut(apply);
            } else {
                replay.transform.apply(shown.image, size, &replay.normalizer, &mut rng, out);
            }
        });
        pixels
    }

    fn tensor(&self, pixels: &[f32], model: &Model) -> Tensor {
        nhwc_tensor(pixels, self.data.field.height(), self.data.field.width(), model.device())
    }

    /// What some rows are guessed to be, `n x C`, and the weights of the guesses.
    fn guess(&mut self, rows: &[usize], at: At) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
        let weak = rows.iter().map(|&r| Shown { image: self.data.field.get(r), strong: false }).collect::<Vec<_>>();
        let pixels = self.pixels(&weak, "match.weak", at);
        let teacher = &self.average.as_ref().ok_or_else(no_average)?.model;
        let logits = tch::no_grad(|| teacher.forward(&self.tensor(&pixels, teacher), false).logits);
        let probs = logits.softmax(-1, Kind::Float).to_device(tch::Device::Cpu).contiguous();
        let classes = probs.size()[1] as usize;
        let mut numbers = vec![0f32; probs.numel()];
        probs.copy_data(&mut numbers, probs.numel());
        if let Some(alignment) = &mut self.alignment {
            alignment.align(&mut numbers);
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
        let (source, field) = (&self.data.replay.source.images, &self.data.field);
        let mut rng = self.data.replay.streams.at("match.restate", epoch as u64, 0);
        for step in 0..self.settings.restate {
            let half = (0..RESTATE / 2).map(|_| rng.gen_range(0..source.len())).map(|r| source.get(r));
            let shown = half.collect::<Vec<_>>().into_iter();
            let other = (0..RESTATE / 2).map(|_| rng.gen_range(0..field.len())).map(|r| field.get(r));
            let shown = shown.chain(other).map(|image| Shown { image, strong: false }).collect::<Vec<_>>();
            let pixels = self.pixels(&shown, "match.restate.views", At { epoch, step });
            // in train mode the statistics move, also without gradients
            let _ = tch::no_grad(|| teacher.forward(&self.tensor(&pixels, teacher), true));
        }
        Ok(())
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
        let (s, streams) = (&self.settings, self.data.replay.streams);
        let order = |name: &str| streams.at(name, epoch as u64, 0);
        let unlabelled = shuffled_batches(self.data.field.len(), s.unlabelled, true, &mut order("match.order"));
        let steps = unlabelled.len();
        let n = self.data.replay.source.images.len();
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
        if at.step > 0 {
            self.average.as_mut().ok_or_else(no_average)?.follow(model);
        }
        let Some(rows) = self.plan.unlabelled.get(at.step).cloned() else { return Ok(None) };
        let (guesses, weights) = self.guess(&rows, at)?;

        let part = |n: usize| at.step * n..(at.step + 1) * n;
        let replay = &self.data.replay;
        let source = &self.plan.source[part(self.settings.source)];
        let labelled = self.plan.labelled.get(part(self.settings.labelled)).unwrap_or_default();
        let mut known = source.iter().map(|&r| replay.source.labels[r]).collect::<Vec<_>>();
        known.extend(labelled.iter().map(|(_, class)| *class));
        let field = |r: usize, strong| Shown { image: self.data.field.get(r), strong };
        let shown = source.iter().map(|&r| Shown { image: replay.source.images.get(r), strong: false });
        let shown = shown
            .chain(labelled.iter().map(|(r, _)| field(*r, self.settings.strong_labels)))
            .chain(rows.iter().map(|&r| field(r, true)))
            .collect::<Vec<_>>();
        let pixels = self.pixels(&shown, "match.strong", at);

        let logits = model.forward(&self.tensor(&pixels, model), true).logits;
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
        Ok(Some(StepLoss { loss, images_trained: (n + u) as u64, images_forward: u as u64 }))
    }

    fn planned_steps(&self) -> usize {
        self.plan.unlabelled.len()
    }

    fn end_epoch(&mut self, _: &Model, epoch: usize) -> Result<Vec<(String, f64)>, TrainError> {
        self.restate(epoch)?;
        let of = |sum: f64| sum / self.sums.guesses.max(1.0);
        Ok(vec![
            ("guess_weight".to_owned(), of(self.sums.weight)),
            ("guess_confidence".to_owned(), of(self.sums.confidence)),
            ("images_forward".to_owned(), (self.settings.restate * RESTATE) as f64),
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
