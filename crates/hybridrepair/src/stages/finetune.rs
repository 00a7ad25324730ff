use super::{
    Behind,
    guard::Guard,
    lesson::{Lesson, lesson},
    watch::Watch,
};
use crate::{
    EpochRule, Error, Method, Run, Session,
    observe::{ProgressObserver, Watcher},
    run::Cost,
    session::parameters,
};
use hybridrepair_core::{Evidence, LabelSet};
use hybridrepair_torch::{Model, load_checkpoint, save_checkpoint};
use hybridrepair_train::{EpochReading, Fit, FitOutcome, Limited, STOPPED, TrainError, Verdict, load_state};

/// A repaired model.
pub struct Repaired {
    /// The model of the chosen epoch.
    pub model: Model,
    /// That epoch, from 0.
    pub epoch: usize,
    /// What every epoch showed.
    pub epochs: Vec<EpochReading>,
    /// The epoch whose predictions on the field's views are the most certain, where that was measured: upstream's own
    /// choice, told beside the result.
    pub least_entropy: Option<(usize, Model)>,
    /// Whether it was trained behind a frozen trunk.
    pub cheap: bool,
}

/// What a model is taught.
#[derive(Clone)]
pub struct Taught<'a> {
    /// Labels of the field.
    pub labels: LabelSet,
    /// How.
    pub method: Method,
    /// What selection stood on.
    pub evidence: &'a Evidence,
    /// The threshold on unsmoothness of the published method.
    pub tau: Option<f64>,
    /// Of the cheap tier: what its frozen trunk gave.
    pub behind: Option<&'a Behind>,
}

/// Repair training from the "before" model, with a learning rate that was found or the recipe's own; keeps every epoch in `checkpoints/` and the chosen one as `best`.
///
/// # Errors
/// When training fails or diverges.
pub fn finetune(
    session: &Session,
    run: &mut Run<'_>,
    before: &Model,
    taught: Taught<'_>,
    lr: Option<f64>,
) -> Result<Repaired, Error> {
    run.stage("finetune", |run| {
        let (mut settings, mut matching) = (session.config.finetune.clone(), session.config.matching.clone());
        settings.lr = lr.unwrap_or(settings.lr);
        matching.lr = lr.unwrap_or(matching.lr);
        // the state on disk belongs to exactly these settings and these labels
        let config = &session.config;
        let behind = taught.behind;
        let tier = (behind.is_some().then_some(&config.cheap), config.stop.steps, config.stop.images);
        let labels = taught.labels.iter().collect::<Vec<_>>();
        let content = (&settings, &matching, labels, taught.tau, &config.method, tier, behind.and(lr));
        let key = parameters(session.training_key("finetune", 3)?, &content)?.fingerprint().to_string();
        let model = before.duplicate()?;
        let Lesson { mut objective, optimizer, schedule, mut epochs, steps, images_per_step } =
            lesson(session, taught, lr)?;
        let mut optimizer = optimizer.build();
        let layout = run.dir.layout().clone();
        let state_file = layout.checkpoint("state");
        if config.stop.any() {
            let limits = config.stop.limits(run.began);
            epochs = limits.epochs(epochs, steps, images_per_step);
            objective = Box::new(Limited::new(objective, limits));
            // a run that was ended after its training stopped early has nothing left to train
            if state_file.is_file() {
                let done = load_state(&state_file)?.epochs;
                epochs =
                    if done.last().is_some_and(|e| e.readings.contains_key(STOPPED)) { done.len() } else { epochs };
            }
        }
        let mut fit = Fit {
            model: &model,
            optimizer: &mut *optimizer,
            schedule,
            epochs,
            streams: session.streams,
            state_file: Some(&state_file),
            key,
        };
        let epoch_file = |epoch: usize| layout.checkpoint(&hybridrepair_runs::Layout::epoch_name(epoch));
        let mut guard = session.config.guard.on.then(|| Guard::new(session, before, behind)).transpose()?;
        let mut watch = guard.as_mut().map(|guard| Watch::new(session, &layout, guard, epochs)).transpose()?;
        let mut observer = ProgressObserver::new(run, "finetune", epochs)
            .saving(|epoch, model| Ok(save_checkpoint(&epoch_file(epoch), model, &session.meta, false)?))
            .watched(watch.as_mut().map(|w| w as &mut dyn Watcher));
        let outcome = fit.run(&mut *objective, &mut observer);
        observer.finish()?;
        let why = watch.and_then(|watch| watch.why);
        let epochs = match outcome {
            Ok(FitOutcome { verdict: Verdict::RollBack, epochs }) => {
                let why = why.unwrap_or_else(|| "training was rolled back".to_owned());
                if epochs.is_empty() {
                    return Err(Error::Refused(format!("fine-tuning went wrong in its first epoch: {why}")));
                }
                // what was learned until then may be safe
                run.warn("finetune", &format!("{why}: going back to epoch {}", epochs.len()))?;
                epochs
            }
            Ok(outcome) => outcome.epochs,
            // what was learned until then may be safe
            Err(error @ TrainError::Diverged { epoch, .. }) if session.config.guard.on && epoch > 0 => {
                run.warn("finetune", &format!("{error}: going back to what was there before"))?;
                load_state(&state_file)?.epochs
            }
            Err(error) => return Err(error.into()),
        };
        let load = |epoch: usize| Ok::<_, Error>(load_checkpoint(&epoch_file(epoch), session.runtime.device)?.0);
        let certain = least_entropy(&epochs);
        let last = epochs.len().saturating_sub(1);
        let mut epoch = certain.filter(|_| session.config.keep == EpochRule::MinEntropy).unwrap_or(last);
        let mut guarded = 0;
        if let Some(mut guard) = guard.filter(|_| !epochs.is_empty()) {
            epoch = guard.choose(run, epoch, load)?;
            guarded = guard.images_forward;
        }
        let model = if epochs.is_empty() { model } else { load(epoch)? };
        let least_entropy = certain.map(|epoch| load(epoch).map(|model| (epoch, model))).transpose()?;
        save_checkpoint(&layout.checkpoint("best"), &model, &session.meta, false)?;
        // a TorchScript model goes back to its owner as what it came as
        model.save_script(&layout.checkpoint("best").with_extension("pt"))?;
        let extra = |e: &EpochReading| e.readings.get("images_forward").copied().unwrap_or(0.0) as u64;
        let cost = Cost {
            images_trained: epochs.iter().map(|e| e.images_trained).sum(),
            images_forward: guarded + epochs.iter().map(|e| e.images_forward + extra(e)).sum::<u64>(),
            ..Cost::default()
        };
        Ok((Repaired { model, epoch, epochs, least_entropy, cheap: behind.is_some() }, cost))
    })
}

/// The epoch whose predictions on the field's views are the most certain, the first on ties.
fn least_entropy(epochs: &[EpochReading]) -> Option<usize> {
    let entropies = epochs.iter().map(|e| e.readings.get("relative_entropy").copied()).collect::<Option<Vec<_>>>()?;
    (0..entropies.len()).reduce(|best, i| if entropies[i] < entropies[best] { i } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_epoch_of_least_entropy_is_kept() {
        let epoch = |e: f64| EpochReading {
            epoch: 0,
            steps: 1,
            loss: 0.0,
            lr: 0.0,
            images_trained: 0,
            images_forward: 0,
            readings: BTreeMap::from([("relative_entropy".to_owned(), e)]),
        };
        assert_eq!(least_entropy(&[epoch(0.5), epoch(0.2), epoch(0.2), epoch(0.3)]), Some(1));
        assert_eq!(least_entropy(&[]), None);
    }
}
