//! The control that every result is set beside: remedies drawn at random, at the same cost.

use crate::{
    Attempt, DoctorError, Job, Journal, Plan, Problem, Trainer, Trial, Verdict, Weights,
    remedies::{ALL, Applied},
    solve::better,
};
use hybridrepair_core::Streams;
use rand::Rng;

/// What the control found.
#[derive(Clone, Debug)]
pub struct Control {
    /// The best training by validation accuracy, the original one where none was better.
    pub trial: Trial,
    /// Its plan.
    pub plan: Plan,
    /// All that was trained.
    pub attempts: Vec<Attempt>,
}

/// Trains plans with one drawn remedy each, on the original plan and from fresh weights, until `models` trainings to the end
/// are paid for. Rules have no say: accuracy alone chooses.
///
/// # Errors
/// When training fails, is interrupted, or the journal cannot be written.
pub fn random_control(
    plan: &Plan,
    first: &Trial,
    models: f64,
    streams: Streams,
    trainer: &mut dyn Trainer,
    journal: &mut dyn Journal,
) -> Result<Control, DoctorError> {
    let mut control = Control { trial: first.clone(), plan: plan.clone(), attempts: Vec::new() };
    let mut rng = streams.named("doctor.control");
    let (mut spent, mut draws) = (0.0, 0);
    // a draw that changes nothing costs nothing, and there are not endlessly many of them
    while spent < models && draws < 1000 {
        draws += 1;
        let remedy = ALL[rng.gen_range(0..ALL.len())];
        let problem = Problem::ALL[rng.gen_range(0..Problem::ALL.len())];
        let attempt = rng.gen_range(0..3);
        let mut own = streams.at("doctor.control.remedy", draws, 0);
        let Applied::Changed(new, change) = remedy.apply(plan, problem, attempt, &mut own) else { continue };
        let name = format!("control-{draws}");
        let known = journal.find(&name, &new);
        let trial = match &known {
            Some(trial) => trial.clone(),
            None => trainer.train(Job { plan: &new, name: &name, epochs: plan.epochs, from: None })?,
        };
        spent += trial.epochs.max(1) as f64 / plan.epochs as f64;
        let verdict = if better(&trial, &control.trial) { Verdict::Solved } else { Verdict::Failed };
        let (remedy, weights, plan) = (remedy.name().to_owned(), Weights::Fresh, (*new).clone());
        let attempt =
            Attempt { round: 1, problem, remedy, attempt, change, weights, plan, trial: trial.clone(), verdict };
        if known.is_none() {
            journal.record(&attempt)?;
        }
        if verdict == Verdict::Solved {
            (control.trial, control.plan) = (trial, *new);
        }
        control.attempts.push(attempt);
    }
    Ok(control)
}
