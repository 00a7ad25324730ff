//! What a repair of the built-in road signs has to learn from.

use crate::{DataConfig, Error, Method, RepairConfig, SignsSizes};
use hybridrepair_arena_torch::{Judged, Lesson};
use hybridrepair_core::{ClassId, Embeddings, Evidence, Ledger, Pool, PoolIdx, Purpose, Streams};
use hybridrepair_data::{Field, Images, Labelled, Normalizer, RandAugment, Splits, ViewMaker};
use hybridrepair_select::strategy;
use hybridrepair_torch::{DataFacts, Device, Model, Predictions, open_checkpoint, predict, predict_views};
use rand::seq::SliceRandom;
use std::{ops::Range, path::Path};

/// Seeds of labels that there are pictures for.
pub(super) const SEEDS: usize = 3;
/// Labels that are bought.
pub(super) const BOUGHT: usize = 80;
/// Times that each bought picture is in the lesson, so that they make about a fifth of it; each time it is cropped anew.
const TIMES: usize = 8;
/// Most guessed labels.
const GUESSED: usize = 1360;
/// Least confidence of a guess.
const CONFIDENT: f32 = 0.95;
/// Source pictures (replay).
const REPLAY: usize = 1000;
/// Pictures of the field pool that one repair sees: the three share the standard pool.
const FIELD: usize = 2666;
/// Pictures that judge: half the target split, half the holdout.
pub(super) const JUDGES: usize = 4000;
/// Pictures per batch: twelve passes are then 552 steps, where the preset takes 744 around the whole pool.
const BATCH: usize = 64;

/// Examples of a lesson, where enough guesses are confident.
pub(super) const EXAMPLES: usize = BOUGHT * TIMES + GUESSED + REPLAY;

/// Lesson, target split and holdout.
#[derive(Clone, Debug)]
pub struct RepairTask {
    /// Bought, guessed and source pictures.
    pub lesson: Lesson,
    /// Decides whether the target is reached.
    pub target: Judged,
    /// Tells afterwards whether it was reached by looking too often.
    pub holdout: Judged,
}

/// The lesson of one repair of `signs` at a budget of 80 labels, and what judges it.
///
/// Labels are bought as method `coverage` of preset `default` does: `unsmooth_coverage` on penultimate features and the
/// predictions over augmented views. The deployed model's guess on each of the other field pictures is believed from a
/// confidence of 0.95 on and counts with it. Source pictures with their labels are replayed. All are seen as the preset's strong
/// views: with crops alone the loss on the field rises from the third pass on, and nothing is left to rank optimisers by.
///
/// Each seed (below 3) has field and source pictures of its own; half of the holdout of `signs` is the target split, the
/// other half the holdout.
///
/// # Errors
/// When there is no such seed, or the checkpoint cannot be read or belongs to other data.
pub fn repair_lesson(checkpoint: &Path, seed: usize, device: Device) -> Result<RepairTask, Error> {
    if seed >= SEEDS {
        return Err(Error::Config(format!("there are pictures for seeds 0 to {}, not for {seed}", SEEDS - 1)));
    }
    let sizes = SignsSizes { train: SEEDS * REPLAY, val: 0, field: SEEDS * FIELD, holdout: JUDGES };
    let data = DataConfig { signs: sizes, ..DataConfig::default() };
    let splits = data.load()?;
    let (model, _) = open_checkpoint(checkpoint, device, &DataFacts::from(&splits))?;
    let streams = Streams::new(seed as u64);
    let field = part_of(&splits.field, seed * FIELD..(seed + 1) * FIELD);
    let normalizer = Normalizer::new(splits.normalization)?;
    let said = predict(&model, &field.images, &normalizer)?;
    let mut ledger = Ledger::new(BOUGHT);
    let mut examples = Examples::default();
    let bought = choose(&model, &splits, &field, &said, streams)?;
    for &idx in &bought {
        let class = ledger.buy(&field.labels, idx, "arena")?;
        for _ in 0..TIMES {
            examples.push(field.images.get(idx.row()), class, 1.0);
        }
    }
    for (row, class, confidence) in guesses(&said, &bought, streams)? {
        examples.push(field.images.get(row), class, confidence);
    }
    let Labelled { images, labels, .. } = &splits.train;
    for (row, &class) in labels.iter().enumerate().skip(seed * REPLAY).take(REPLAY) {
        examples.push(images.get(row), class, 1.0);
    }
    let matching = RepairConfig::default().matching;
    let lesson = Lesson {
        images: Images::new(examples.pixels, images.height(), images.width())?,
        classes: examples.classes,
        weights: examples.weights,
        transform: RandAugment { ops: matching.ops, cutout: matching.cutout, weak: data.transform() },
        normalization: splits.normalization,
        batch: BATCH,
    };
    let truth = ledger.reveal(&splits.holdout.labels, Purpose::Evaluate, "arena").to_vec();
    let judges = Judged { images: splits.holdout.images.clone(), classes: truth };
    let (target, holdout) = judges.split(JUDGES / 2);
    Ok(RepairTask { lesson, target, holdout })
}

/// Some pictures of a field, their labels still sealed.
fn part_of(field: &Field, rows: Range<usize>) -> Field {
    let rows: Vec<usize> = rows.collect();
    Field {
        images: field.images.select(&rows),
        labels: field.labels.select(&rows),
        ids: rows.iter().map(|&r| field.ids[r]).collect(),
        conditions: None,
    }
}

/// What the preset's method would buy.
fn choose(
    model: &Model,
    splits: &Splits,
    field: &Field,
    said: &Predictions,
    streams: Streams,
) -> Result<Vec<PoolIdx>, Error> {
    let preset = RepairConfig::default();
    let method = Method::named(&preset.method)?;
    let rule = strategy(method.strategy.unwrap_or("random"))?;
    let views = preset.finetune.consistency.unwrap_or_default().view_config();
    let maker = ViewMaker::new(field.images.clone(), splits.normalization, views, streams, "views")?;
    let rows: Vec<usize> = (0..field.images.len()).collect();
    let pass = predict_views(model, &maker, (field.images.height(), field.images.width()), &rows)?;
    let evidence = Evidence {
        embeddings: Some(Embeddings::new(said.features.clone())?.normalized()),
        probs: Some(said.probs()?),
        views: Some(pass.views),
        ..Evidence::default()
    };
    let pool = Pool::new(field.ids.clone())?;
    let allowed = evidence.restricted_to(rule.needs());
    Ok(rule.select(&pool, &allowed, BOUGHT, &mut streams.named("select"))?.rows())
}

/// Rows with the class that the model is sure of and how sure it is: a sample of those that were not bought.
fn guesses(said: &Predictions, bought: &[PoolIdx], streams: Streams) -> Result<Vec<(usize, ClassId, f32)>, Error> {
    let probs = said.probs()?;
    let mut sure: Vec<_> = (0..probs.len())
        .filter(|&row| !bought.contains(&PoolIdx::from(row)))
        .map(|row| (row, probs.top1(row)))
        .map(|(row, class)| (row, class, probs.row(row)[class.column()]))
        .filter(|(_, _, confidence)| *confidence >= CONFIDENT)
        .collect();
    sure.shuffle(&mut streams.named("arena.guesses"));
    sure.truncate(GUESSED);
    Ok(sure)
}

/// Pictures one after the other.
#[derive(Default)]
struct Examples {
    pixels: Vec<u8>,
    classes: Vec<ClassId>,
    weights: Vec<f32>,
}

impl Examples {
    fn push(&mut self, picture: &[u8], class: ClassId, weight: f32) {
        self.pixels.extend_from_slice(picture);
        self.classes.push(class);
        self.weights.push(weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_is_bought_and_all_guesses_are_confident() {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../checkpoints/signs-mobilenet-w025.safetensors");
        let RepairTask { lesson, target, holdout } = repair_lesson(&model, 0, Device::Cpu).unwrap();
        assert_eq!((lesson.classes.len(), lesson.images.len()), (EXAMPLES, EXAMPLES));
        let (bought, rest) = lesson.weights.split_at(BOUGHT * TIMES);
        let (guessed, replayed) = rest.split_at(GUESSED);
        assert!(bought.iter().chain(replayed).all(|&w| w == 1.0));
        assert!(guessed.iter().all(|w| (CONFIDENT..=1.0).contains(w)));
        assert!((0.2..0.25).contains(&(bought.len() as f64 / EXAMPLES as f64)));
        assert_eq!((target.classes.len(), holdout.classes.len()), (JUDGES / 2, JUDGES / 2));
        assert!(repair_lesson(&model, SEEDS, Device::Cpu).unwrap_err().to_string().contains("not for 3"));
    }
}
