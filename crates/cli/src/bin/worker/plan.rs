//! `--dry-run`: what would be done, what it would cost, and how long it would take on this machine.

use crate::{failure::failure, show};
use hybridrepair::{Error, Method, Session, Trainer};
use hybridrepair_cli::Failure;
use hybridrepair_cli::say;
use hybridrepair_core::{Need, Streams};
use serde::Serialize;
use std::{process::ExitCode, time::Instant};

#[derive(Serialize)]
struct Plan {
    method: String,
    device: String,
    threads: usize,
    train_images: usize,
    field_images: usize,
    holdout_images: usize,
    labels: usize,
    views: usize,
    epochs: usize,
    steps: u64,
    images_trained: u64,
    images_forward: u64,
    images_per_second: Speed,
    minutes: f64,
    memory_mib: f64,
    tier: &'static str,
}

#[derive(Serialize)]
struct Speed {
    training: f64,
    forward: f64,
}

/// Prints the plan of a session.
pub(crate) fn run(session: &Session, json: bool) -> Result<ExitCode, Failure> {
    let plan = make(session).map_err(failure)?;
    if json {
        show::json(&plan)?;
    } else {
        print(&plan);
    }
    Ok(ExitCode::SUCCESS)
}

fn make(session: &Session) -> Result<Plan, Error> {
    let c = &session.config;
    let method = Method::named(&c.method)?;
    let s = &session.splits;
    let (train, field, holdout) = (s.train.images.len(), s.field.images.len(), s.holdout.images.len());
    let buys = c.strategy.as_deref().or(method.strategy);
    let needs = buys.map(hybridrepair::select::strategy).transpose()?.map(|rule| rule.needs());
    let consistency = c.finetune.consistency.clone().unwrap_or_default();
    let all_views = (consistency.views + 1) as u64;
    let scores = needs.is_some_and(|n| n.contains(Need::Views)) || method.trusts();
    let lesson = match method.trainer {
        Trainer::None => Lesson::default(),
        Trainer::ZeroLabel => Lesson { forward: (2 * field + s.val.images.len()) as u64, ..Lesson::default() },
        _ if method.trainer.rule().is_some() => matching(session),
        _ => two_pass(session, method),
    };
    // short repairs that look for the rate
    let probes = if c.tune.auto { (c.tune.budget * c.tune.epochs) as u64 } else { 0 };
    let lesson = lesson.longer_by(probes);
    let f = &c.finetune;
    let replay = f.replay_epochs as u64 * (train as u64 / f.batch_size as u64);
    let trained = replay * f.batch_size as u64 + lesson.trained;
    // by the guards: each epoch and the model before, on the validation split and a sample of the field
    let guarded = if c.guard.on && lesson.epochs > 0 {
        (lesson.epochs + 1) * (s.val.images.len() + field.min(2000)) as u64
    } else {
        0
    };
    let forward = u64::from(scores) * all_views * field as u64
        + (field + 3 * holdout + f.replay_epochs * train) as u64
        + lesson.forward
        + guarded;
    let speed = measure(session)?;
    let seconds = trained as f64 / speed.training + forward as f64 / speed.forward;
    let pictures = train + s.val.images.len() + field + holdout;
    Ok(Plan {
        method: method.name.to_owned(),
        device: session.runtime.device_name(),
        threads: session.runtime.threads,
        train_images: train,
        field_images: field,
        holdout_images: holdout,
        labels: if buys.is_some() { session.budget } else { 0 },
        views: if scores { consistency.views } else { 0 },
        epochs: lesson.epochs as usize,
        steps: replay + lesson.steps,
        images_trained: trained,
        images_forward: forward,
        images_per_second: speed,
        minutes: seconds / 60.0,
        // pictures, libtorch itself, and the activations of one step
        memory_mib: (pictures * s.field.images.stride()) as f64 / 1_048_576.0
            + 350.0
            + lesson.largest.max(f.batch_size as u64) as f64 * activations(session),
        tier: "full: all layers are trained",
    })
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

impl Lesson {
    /// With so many epochs more, after which no guard looks.
    fn longer_by(self, more: u64) -> Self {
        let longer = |n: u64| n + n / self.epochs.max(1) * more;
        Self { steps: longer(self.steps), trained: longer(self.trained), forward: longer(self.forward), ..self }
    }
}

fn matching(session: &Session) -> Lesson {
    let (m, field) = (&session.config.matching, session.pool.len());
    let epochs = m.epochs as u64;
    let steps = epochs * (field / m.unlabelled).max(1) as u64;
    let largest = (m.source + m.labelled + m.unlabelled.min(field)) as u64;
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

/// MiB that one picture's activations take in training: measured on `MobileNet` at 32 x 32, where they grow with the
/// width and the number of pixels.
fn activations(session: &Session) -> f64 {
    let (h, w) = session.size();
    4.3 * session.meta.spec.width * (h * w) as f64 / 1024.0
}

/// Pictures per second of training and of prediction, from a few steps on the data's own pictures.
fn measure(session: &Session) -> Result<Speed, Error> {
    use hybridrepair::torch::predict_rows;
    use hybridrepair::training::{At, Example, Objective, Supervised};
    let model = session.model.duplicate()?;
    let rows = (0..session.splits.field.images.len().min(1024)).collect::<Vec<_>>();
    let images = &session.splits.field.images;
    // once to warm up
    predict_rows(&model, images, &session.normalizer, &rows)?;
    let began = Instant::now();
    predict_rows(&model, images, &session.normalizer, &rows)?;
    let forward = rows.len() as f64 / began.elapsed().as_secs_f64();

    let replay = session.replay();
    let labels = &session.splits.train.labels;
    let examples =
        (0..labels.len().min(2048)).map(|row| Example { set: 0, row, class: labels[row] }).collect::<Vec<_>>();
    let batch = 256.min(examples.len());
    let mut objective = Supervised::new(replay.data(None), examples, batch, Streams::new(0), "plan")?;
    objective.begin_epoch(&model, 0)?;
    let mut rate = 0.0;
    let mut optimizer = session.optimizer().build();
    for step in 0..objective.planned_steps().min(4) {
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

fn print(p: &Plan) {
    say!("method        {} on {} with {} threads", p.method, p.device, p.threads);
    say!("data          {} source, {} field, {} holdout images", p.train_images, p.field_images, p.holdout_images);
    say!("labels        {} to buy", p.labels);
    say!("views         {} per field image", p.views);
    say!("training      {} epochs, at most {} steps, {} images", p.epochs, p.steps, p.images_trained);
    say!("prediction    {} images", p.images_forward);
    let speed = &p.images_per_second;
    say!(
        "speed here    {:.0} images/s training, {:.0} images/s prediction (measured just now)",
        speed.training,
        speed.forward
    );
    say!("tier          {}", p.tier);
    say!("estimate      {:.1} minutes, {:.0} MiB of memory", p.minutes, p.memory_mib);
    say!("nothing was done; leave out --dry-run to begin");
}
