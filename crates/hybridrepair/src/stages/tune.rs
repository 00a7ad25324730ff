use super::{
    Taught,
    lesson::{Lesson, lesson},
};
use crate::{
    Error, Run, Session,
    run::Cost,
    tune::{TuneFiles, start_loss, told},
};
use hybridrepair_torch::Model;
use hybridrepair_train::{EpochReading, Fit, Observer, Reading, TrainError, Verdict};
use hybridrepair_tune::{Choice, Lab, Limits, Point, Probe, ProbeEpoch, Prober, Range, TuneError, find};
use std::time::Instant;

/// From the recipe's rate to the ends of the range.
const REACH: f64 = 10.0;

/// What the probes of a repair share.
struct Lessons<'s, 'r, 'p> {
    session: &'s Session,
    run: &'r mut Run<'p>,
    before: &'s Model,
    taught: &'s Taught<'s>,
    files: TuneFiles,
    start_loss: Option<f64>,
    cost: Cost,
    failed: Option<Error>,
}

/// The learning rate of the repair, from short repairs judged by their loss: in a trained model structure is there before the
/// first step, so Z would say nothing. `None` when it was not asked for, or no rate brings the loss down: then the recipe's stays.
///
/// # Errors
/// When training fails for another reason than its rate.
pub fn tune(session: &Session, run: &mut Run<'_>, before: &Model, taught: &Taught<'_>) -> Result<Option<f64>, Error> {
    let settings = &session.config.tune;
    if !settings.auto {
        return Ok(None);
    }
    run.stage("tune", |run| {
        let files = TuneFiles::open(run.dir.layout().tune())?;
        if let Some(choice) = files.choice()? {
            return Ok((Some(choice.lr), Cost { cached: true, ..Cost::default() }));
        }
        let known = files.probes()?;
        // whichever trainer and tier it is
        let lr = lesson(session, taught.clone(), None)?.schedule.peak();
        let range = settings.range.unwrap_or([lr / REACH, lr * REACH]);
        let mut lessons =
            Lessons { session, run, before, taught, files, start_loss: None, cost: Cost::default(), failed: None };
        let limits = Limits { probes: settings.budget, seconds: f64::INFINITY };
        let mut lab = Lab::new(&mut lessons, known, limits)?;
        let found = find(&mut Range::new(Some(range)), &mut lab, session.config.seed);
        let Lessons { run, files, cost, failed, .. } = lessons;
        let choice: Choice = match (found, failed) {
            (_, Some(error)) => return Err(error),
            (Ok(choice), None) => choice,
            (Err(TuneError::Refused(why)), None) => {
                run.warn("tune", &format!("{why}: the recipe's rate {lr} stays"))?;
                return Ok((None, cost));
            }
            (Err(error), None) => return Err(error.into()),
        };
        files.finish(&choice, &[])?;
        run.progress.say(&format!("learning rate {:.3e}: {}", choice.lr, choice.reason));
        Ok((Some(choice.lr), cost))
    })
}

impl Lessons<'_, '_, '_> {
    fn lesson(&self) -> Result<Lesson, Error> {
        lesson(self.session, self.taught.clone(), None)
    }

    fn one(&mut self, point: Point) -> Result<Probe, Error> {
        let start_loss = match self.start_loss {
            Some(loss) => loss,
            None => *self.start_loss.insert(start_loss(&self.before.duplicate()?, &mut *self.lesson()?.objective)?),
        };
        let began = Instant::now();
        let model = self.before.duplicate()?;
        let Lesson { mut objective, optimizer, schedule, epochs, .. } = self.lesson()?;
        let mut optimizer = optimizer.build();
        let planned = self.session.config.tune.epochs;
        let mut fit = Fit {
            model: &model,
            optimizer: &mut *optimizer,
            // the course of the repair in short: see `TuneConfig::probe_schedule`
            schedule: schedule.over(planned, epochs).with_peak(point.lr),
            epochs: planned,
            streams: self.session.streams,
            state_file: None,
            key: String::new(),
        };
        let mut watch = Losses::default();
        match fit.run(&mut *objective, &mut watch) {
            Ok(_) | Err(TrainError::Diverged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.cost.images_trained += watch.0.iter().map(|e| e.images_trained).sum::<u64>();
        self.cost.images_forward += watch.0.iter().map(|e| e.images_forward).sum::<u64>();
        let epochs = watch.0.iter().map(|e| ProbeEpoch { loss: e.loss, ..ProbeEpoch::default() }).collect();
        let probe = Probe { point, start_loss, epochs, planned, seconds: began.elapsed().as_secs_f64() };
        self.files.keep(&probe)?;
        self.run.progress.say(&told(&probe));
        Ok(probe)
    }
}

impl Prober for Lessons<'_, '_, '_> {
    fn probe(&mut self, points: &[Point]) -> Result<Vec<Probe>, TuneError> {
        points
            .iter()
            .map(|point| {
                self.one(*point).map_err(|error| {
                    let said = TuneError::Probe(error.to_string());
                    self.failed = Some(error);
                    said
                })
            })
            .collect()
    }
}

/// Keeps what every epoch showed.
#[derive(Default)]
struct Losses(Vec<EpochReading>);

impl Observer for Losses {
    fn after_step(&mut self, _: &Reading, _: &Model) -> Verdict {
        Verdict::Continue
    }

    fn after_epoch(&mut self, reading: &EpochReading, _: &Model) -> Verdict {
        self.0.push(reading.clone());
        Verdict::Continue
    }
}
