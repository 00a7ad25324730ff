use crate::{
    At, EpochReading, Objective, Observer, Optimizer, Reading, ResumeState, Schedule, TrainError, Verdict, load_state,
    save_state,
};
use hybridrepair_core::Streams;
use hybridrepair_torch::Model;
use std::path::Path;

/// A training run: the model, what moves its weights, and for how long.
pub struct Fit<'a> {
    /// The model; its tensors are changed in place.
    pub model: &'a Model,
    /// Moves the weights.
    pub optimizer: &'a mut dyn Optimizer,
    /// Learning rate over the epochs.
    pub schedule: Schedule,
    /// Epochs in all.
    pub epochs: usize,
    /// The run's randomness.
    pub streams: Streams,
    /// Where the state is saved after every epoch and found again; `None` keeps nothing.
    pub state_file: Option<&'a Path>,
    /// Binds the state file to its settings: a state with another key is refused.
    pub key: String,
}

/// How a training run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct FitOutcome {
    /// Every finished epoch, those before a resume included.
    pub epochs: Vec<EpochReading>,
    /// `Continue` when all epochs ran.
    pub verdict: Verdict,
}

impl Fit<'_> {
    /// THE loop.
    ///
    /// # Errors
    /// When the loss is not finite, the saved state belongs to another run, or libtorch fails.
    pub fn run(
        &mut self,
        objective: &mut dyn Objective,
        observer: &mut dyn Observer,
    ) -> Result<FitOutcome, TrainError> {
        let mut done = self.resume(objective)?;
        for epoch in done.len()..self.epochs {
            let before = self.model.params().snapshot();
            objective.begin_epoch(self.model, epoch)?;
            let mut sums = EpochSums::default();
            let verdict = loop {
                let at = At { epoch, step: sums.steps };
                // libtorch's own generator cannot be saved: it starts anew at every step
                tch::manual_seed(self.streams.number("torch", epoch as u64, at.step as u64) as i64);
                let Some(step) = objective.step(self.model, at)? else { break Verdict::Continue };
                let loss = step.loss.double_value(&[]);
                if !loss.is_finite() {
                    self.model.params().restore(&before)?;
                    return Err(TrainError::Diverged { epoch, step: at.step, what: "the loss is not finite" });
                }
                self.model.params().zero_grad();
                step.loss.backward();
                let planned_steps = objective.planned_steps();
                let lr = self.schedule.at(epoch, at.step, planned_steps, self.epochs);
                let verdict = observer.after_step(&Reading { at, planned_steps, loss, lr }, self.model);
                if verdict != Verdict::Continue {
                    break verdict;
                }
                self.optimizer.step(self.model.params(), lr);
                sums.add(loss, lr, step.images_trained, step.images_forward);
            };
            if verdict == Verdict::RollBack {
                self.model.params().restore(&before)?;
            }
            if verdict != Verdict::Continue {
                return Ok(FitOutcome { epochs: done, verdict });
            }
            if !self.model.params().all_finite() {
                self.model.params().restore(&before)?;
                return Err(TrainError::Diverged { epoch, step: sums.steps, what: "a weight is not finite" });
            }
            let reading = sums.close(epoch, objective.end_epoch(self.model, epoch)?);
            let verdict = observer.after_epoch(&reading, objective.averaged().unwrap_or(self.model));
            if verdict == Verdict::RollBack {
                self.model.params().restore(&before)?;
            }
            // an epoch that was rejected or could not be kept is not done: a resumed run does it again
            if matches!(verdict, Verdict::RollBack | Verdict::Fail) {
                return Ok(FitOutcome { epochs: done, verdict });
            }
            done.push(reading);
            self.save(&done, objective)?;
            if verdict == Verdict::Stop {
                return Ok(FitOutcome { epochs: done, verdict });
            }
        }
        Ok(FitOutcome { epochs: done, verdict: Verdict::Continue })
    }

    fn resume(&mut self, objective: &mut dyn Objective) -> Result<Vec<EpochReading>, TrainError> {
        let Some(file) = self.state_file.filter(|f| f.exists()) else { return Ok(Vec::new()) };
        let state = load_state(file)?;
        if state.key != self.key {
            return Err(TrainError::Resume(format!(
                "{} was written by a run with other settings; remove it or use another output folder",
                file.display()
            )));
        }
        self.model.params().restore(&state.model)?;
        self.optimizer.load_state(&state.optimizer, self.model.params())?;
        objective.load_state(&state.objective, self.model)?;
        Ok(state.epochs)
    }

    fn save(&self, done: &[EpochReading], objective: &dyn Objective) -> Result<(), TrainError> {
        let Some(file) = self.state_file else { return Ok(()) };
        let state = ResumeState {
            key: self.key.clone(),
            epochs: done.to_vec(),
            model: self.model.params().snapshot(),
            optimizer: self.optimizer.state(),
            objective: objective.state(),
        };
        save_state(file, &state)
    }
}

#[derive(Default)]
struct EpochSums {
    steps: usize,
    loss: f64,
    lr: f64,
    trained: u64,
    forward: u64,
}

impl EpochSums {
    fn add(&mut self, loss: f64, lr: f64, trained: u64, forward: u64) {
        self.steps += 1;
        self.loss += loss;
        self.lr = lr;
        self.trained += trained;
        self.forward += forward;
    }

    fn close(self, epoch: usize, readings: Vec<(String, f64)>) -> EpochReading {
        EpochReading {
            epoch,
            steps: self.steps,
            loss: self.loss / self.steps.max(1) as f64,
            lr: self.lr,
            images_trained: self.trained,
            images_forward: self.forward,
            readings: readings.into_iter().collect(),
        }
    }
}
