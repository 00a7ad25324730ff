//! What a repair would do and cost on this machine, and the choice of the tier that follows from it.

use crate::{Error, Method, Session, Tier, Trainer};
use hybridrepair_core::{Need, Streams};
use hybridrepair_embed::Extractor;
use hybridrepair_torch::{Kind, predict_rows};
use hybridrepair_train::{At, Example, Objective, Supervised};
use serde::Serialize;
use std::time::Instant;

/// Minutes that a repair on a CPU may take when nobody says how long: more, and the cheap tier is taken where there is one.
const PATIENCE: f64 = 120.0;

/// Share of the time that an estimate may fill: it is one.
const FILL: f64 = 0.85;

/// What a repair does in one tier, at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// `full` or `cheap`.
    pub tier: &'static str,
    /// What is trained, for people.
    pub trains: String,
    /// Views per field picture.
    pub views: usize,
    /// Epochs of the repair.
    pub epochs: usize,
    /// Steps, those of the replay fine-tune before it included.
    pub steps: u64,
    /// Pictures times backward passes, through what is trained.
    pub images_trained: u64,
    /// Pictures that are only predicted.
    pub images_forward: u64,
    /// On this machine.
    pub minutes: f64,
    /// About what the process takes.
    pub memory_mib: f64,
    /// Steps of the repair itself, and seconds of each.
    #[serde(skip)]
    own: (u64, f64),
}

/// Pictures per second on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Speed {
    /// Forward and backward, all layers.
    pub training: f64,
    /// Forward alone.
    pub forward: f64,
}

/// The plan of a repair.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// What would run.
    #[serde(flatten)]
    pub chosen: Estimate,
    /// The other tier, where the trainer has both.
    pub other: Option<Estimate>,
    /// Why this one.
    pub why: String,
    /// Measured just now.
    pub images_per_second: Speed,
}

impl Session {
    /// Settles `tier = "auto"`: all layers where that fits the time, else what lies behind a frozen trunk. With
    /// `stop.minutes`, also how many steps fit, so that the learning rate comes down within the time. Says what was decided,
    /// when there was anything to decide.
    ///
    /// The time is an estimate from a few steps on this machine; what was decided stands in the run's `config.toml` and is not
    /// decided again when the run is resumed.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn settle(&mut self) -> Result<Option<Plan>, Error> {
        let trainer = Method::named(&self.config.method)?.trainer;
        let minutes = self.config.stop.minutes;
        let open = self.config.tier == Tier::Auto && trainer.has_cheap_tier();
        if !trainer.takes_labels() || (!open && minutes.is_none()) {
            if self.config.tier == Tier::Auto {
                self.config.tier = Tier::Full;
            }
            return Ok(None);
        }
        if open && minutes.is_none() {
            // on a GPU all layers are trained unless somebody is in a hurry; and so where there is no doubt
            let sure = self.device_is_gpu() || self.estimate(Tier::Full, self.measure(true)?)?.minutes < PATIENCE / 4.0;
            if sure {
                self.config.tier = Tier::Full;
                return Ok(None);
            }
        }
        let plan = self.plan()?;
        self.config.tier = if plan.chosen.tier == Tier::Cheap.name() { Tier::Cheap } else { Tier::Full };
        if let Some(minutes) = minutes {
            let (steps, each) = plan.chosen.own;
            let rest = 60.0 * minutes * FILL - (60.0 * plan.chosen.minutes - steps as f64 * each);
            let fit = (rest / each.max(1e-9)).max(1.0) as u64;
            if fit < steps {
                self.config.stop.steps = Some(self.config.stop.steps.map_or(fit, |most| most.min(fit)));
            }
        }
        Ok(Some(plan))
    }

    fn device_is_gpu(&self) -> bool {
        self.runtime.device_name() != "cpu"
    }

    /// The plan of this session.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn plan(&self) -> Result<Plan, Error> {
        let trainer = Method::named(&self.config.method)?.trainer;
        let speed = self.measure(false)?;
        let full = self.estimate(Tier::Full, speed)?;
        let one = |chosen, why: &str| Plan { chosen, other: None, why: why.to_owned(), images_per_second: speed };
        if !trainer.has_cheap_tier() {
            return Ok(one(full, "this method has no other"));
        }
        let cheap = match self.estimate(Tier::Cheap, speed) {
            Ok(cheap) => cheap,
            // asked for and not to be had
            Err(error) if self.config.tier == Tier::Cheap => return Err(error),
            Err(error) => return Ok(one(full, &format!("there is no other: {error}"))),
        };
        let limit = self.config.stop.minutes;
        let most = limit.unwrap_or(if self.device_is_gpu() { f64::INFINITY } else { PATIENCE });
        let said = limit.map_or_else(
            || format!("the {PATIENCE:.0} minutes that are taken unless --minutes says otherwise"),
            |m| format!("{m} minutes"),
        );
        let (chosen, other, why) = match self.config.tier {
            Tier::Full => (full, cheap, "asked for".to_owned()),
            Tier::Cheap => (cheap, full, "asked for".to_owned()),
            Tier::Auto if full.minutes <= most * FILL => (full, cheap, "it fits the time".to_owned()),
            Tier::Auto => {
                let why = format!("all layers would take about {:.0} minutes, more than {said}", full.minutes);
                (cheap, full, why)
            }
        };
        Ok(Plan { chosen, other: Some(other), why, images_per_second: speed })
    }

    /// What the repair costs in a tier.
    ///
    /// # Errors
    /// When the model has no such tier.
    pub fn estimate(&self, tier: Tier, speed: Speed) -> Result<Estimate, Error> {
        let (c, s) = (&self.config, &self.splits);
        let method = Method::named(&c.method)?;
        let (train, field, holdout) = (s.train.images.len(), s.field.images.len(), s.holdout.images.len());
        let pictures = (train + s.val.images.len() + field + holdout) * s.field.images.stride();
        let base = pictures as f64 / 1_048_576.0 + 350.0;
        if tier == Tier::Cheap {
            let trunk = self.trunk()?;
            let half = trunk.trained().len() > 2;
            let kept = self.kept_mib(&trunk, if half { Kind::Half } else { Kind::Float });
            let settings = c.cheap_matching(field, true);
            let steps = (c.cheap.epochs * settings.steps_per_epoch(field)) as u64;
            let probes = (self.probe_epochs() * settings.steps_per_epoch(field)) as u64;
            // the map of the report takes one pass more where it does not follow from what is kept
            let map = if trunk.is_before_head() { 0 } else { field };
            let forward = (self.trunk_passes(&trunk) + train + field + 2 * holdout + map) as u64;
            // the head of a step is some thousand times cheaper than the trunk of one picture; the last block is not
            let share = if half { 0.05 } else { 0.002 };
            let each = settings.images_per_step(field) as f64 * share / speed.training + 1e-3;
            return Ok(Estimate {
                tier: tier.name(),
                trains: trunk.about().to_owned(),
                views: c.cheap.weak + c.cheap.strong,
                epochs: c.cheap.epochs,
                steps,
                images_trained: (steps + probes) * settings.images_per_step(field) as u64,
                images_forward: forward,
                minutes: (forward as f64 / speed.forward + (steps + probes) as f64 * each) / 60.0,
                memory_mib: base + 3.0 * kept + 64.0 * self.activations(),
                own: (steps, each),
            });
        }
        let consistency = c.finetune.consistency.clone().unwrap_or_default();
        let all_views = (consistency.views + 1) as u64;
        let buys = c.strategy.as_deref().or(method.strategy);
        let needs = buys.map(hybridrepair_select::strategy).transpose()?.map(|rule| rule.needs());
        let scores = needs.is_some_and(|n| n.contains(Need::Views)) || method.trusts();
        let lesson = match method.trainer {
            Trainer::None => Lesson::default(),
            Trainer::ZeroLabel => Lesson { forward: (2 * field + s.val.images.len()) as u64, ..Lesson::default() },
            _ if method.trainer.rule().is_some() => matching(self),
            _ => two_pass(self, method),
        };
        let f = &c.finetune;
        let replay = f.replay_epochs as u64 * (train as u64 / f.batch_size as u64);
        // probes of `--lr auto` are epochs of the lesson
        let probes = self.probe_epochs() as u64;
        let probed = |of_lesson: u64| of_lesson * probes / lesson.epochs.max(1);
        let trained = replay * f.batch_size as u64 + lesson.trained + probed(lesson.trained);
        // by the guards: each epoch and the model before, on the validation split and a sample of the field
        let guarded = if c.guard.on && lesson.epochs > 0 {
            (lesson.epochs + 1) * (s.val.images.len() + field.min(2000)) as u64
        } else {
            0
        };
        // the source is predicted beside the field, to say what the features are worth
        let embedding = match (buys, c.extractor.parse()?) {
            (None, _) => 0,
            (_, Extractor::Penultimate | Extractor::Npy(_)) => train as u64,
            (_, Extractor::PenultimateViews) => train as u64 + all_views * (field + train) as u64,
            (_, Extractor::Network(_)) => (field + 2 * train) as u64,
        };
        // the advice before labels are bought
        let advice = if buys.is_some() && self.held_out { s.val.images.len() as u64 } else { 0 };
        let forward = u64::from(scores) * all_views * field as u64
            + (field + 3 * holdout + f.replay_epochs * train) as u64
            + lesson.forward
            + probed(lesson.forward)
            + embedding
            + advice
            + guarded;
        let each = lesson.trained as f64 / lesson.steps.max(1) as f64 / speed.training;
        Ok(Estimate {
            tier: tier.name(),
            trains: "all layers".to_owned(),
            views: if scores { consistency.views } else { 0 },
            epochs: lesson.epochs as usize,
            steps: replay + lesson.steps,
            images_trained: trained,
            images_forward: forward,
            minutes: (trained as f64 / speed.training + forward as f64 / speed.forward) / 60.0,
            memory_mib: base + lesson.largest.max(f.batch_size as u64) as f64 * self.activations(),
            own: (lesson.steps, each),
        })
    }

    /// Epochs that `--lr auto` takes before the repair, at most.
    fn probe_epochs(&self) -> usize {
        let tune = &self.config.tune;
        if tune.auto { tune.budget * tune.epochs } else { 0 }
    }

    /// MiB that one picture's activations take in training: measured on `MobileNet` at 32 x 32, where they grow with the
    /// width and the number of pixels. `ResNet`-18 at 224 x 224 was found to take half as much per pixel.
    fn activations(&self) -> f64 {
        let (h, w) = self.size();
        4.3 * self.meta.spec.width * (h * w) as f64 / 1024.0
    }

    /// Pictures per second of training and of prediction, from some steps on the data's own pictures; `quick` for a first look
    /// of some hundredths of a second.
    ///
    /// # Errors
    /// When libtorch fails.
    pub fn measure(&self, quick: bool) -> Result<Speed, Error> {
        let model = self.model.duplicate()?;
        let images = &self.splits.field.images;
        let (h, w) = self.size();
        // large pictures: fewer of them
        let fair = |n: usize| (n * 32 * 32 / (h * w)).clamp(8, n);
        let most = images.len().min(if quick { 64 } else { fair(1024).max(8 * self.runtime.threads) });
        let rows = (0..most).collect::<Vec<_>>();
        // once to warm up
        predict_rows(&model, images, &self.normalizer, &rows[..most.min(16)])?;
        let began = Instant::now();
        predict_rows(&model, images, &self.normalizer, &rows)?;
        let forward = rows.len() as f64 / began.elapsed().as_secs_f64();

        let replay = self.replay();
        let labels = &self.splits.train.labels;
        let batch = if quick { 32 } else { fair(256) }.min(labels.len());
        let examples = (0..labels.len().min(4 * batch)).map(|row| Example { set: 0, row, class: labels[row] });
        let mut objective = Supervised::new(replay.data(None), examples.collect(), batch, Streams::new(0), "plan")?;
        objective.begin_epoch(&model, 0)?;
        let mut rate = 0.0;
        let mut optimizer = self.optimizer().build();
        for step in 0..objective.planned_steps().min(if quick { 2 } else { 4 }) {
            let began = Instant::now();
            if let Some(loss) = objective.step(&model, At { epoch: 0, step })? {
                loss.loss.backward();
                optimizer.step(model.params(), 0.0);
                model.params().zero_grad();
                // the first steps warm up
                rate = loss.images_trained as f64 / began.elapsed().as_secs_f64();
            }
        }
        Ok(Speed { training: rate.max(1e-9), forward })
    }
}

/// What a trainer does, at most.
#[derive(Default)]
struct Lesson {
    epochs: u64,
    steps: u64,
    trained: u64,
    forward: u64,
    /// Pictures of the largest step.
    largest: u64,
}

fn matching(session: &Session) -> Lesson {
    let (m, field) = (&session.config.matching, session.pool.len());
    let epochs = m.epochs as u64;
    let steps = epochs * m.steps_per_epoch(field) as u64;
    let largest = m.images_per_step(field) as u64;
    let forward = steps * m.unlabelled.min(field) as u64;
    Lesson { epochs, steps, trained: steps * largest, forward, largest }
}

fn two_pass(session: &Session, method: Method) -> Lesson {
    let (c, s) = (&session.config, &session.splits);
    let (train, field, holdout) = (s.train.images.len(), s.field.images.len(), s.holdout.images.len());
    let (f, batch) = (&c.finetune, c.finetune.batch_size as u64);
    let all_views = (f.consistency.clone().unwrap_or_default().views + 1) as u64;
    // the replay set is what the model gets right, and regions have about `average_size` members
    let labelled = if method.spread { session.budget * c.regions.average_size } else { session.budget };
    let first = (train + labelled) as u64 / batch;
    let ssl = method.unlabelled.is_some();
    let second = if ssl { (train.max(field) as u64 / batch).max(1) } else { 0 };
    let epochs = f.epochs as u64;
    let views_pass = if method.trusts() { all_views * field as u64 } else { 0 };
    let teacher = second * batch * all_views + views_pass;
    let choose = if ssl { 2 } else { 1 } * train as u64;
    let threshold = if !method.trusts() {
        0
    } else if c.threshold.on_holdout {
        train as u64 + (1 + all_views) * holdout as u64
    } else {
        (train + field) as u64
    };
    Lesson {
        epochs,
        steps: epochs * (first + second),
        trained: epochs * (first * batch + second * batch * (1 + all_views)),
        forward: epochs * (choose + teacher) + threshold,
        largest: if ssl { batch * (1 + all_views) } else { batch },
    }
}
