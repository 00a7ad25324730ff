use super::{
    guard::Guard,
    lesson::{Lesson, Material, lesson},
};
use crate::{EpochRule, Error, Run, Session, observe::ProgressObserver, run::Cost, session::parameters};
use hybridrepair_torch::{Model, load_checkpoint, save_checkpoint};
use hybridrepair_train::{EpochReading, Fit, FitOutcome, TrainError, Verdict, load_state};

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
}

/// Repair training from the "before" model, with a learning rate that was found or the recipe's own; keeps every epoch in `checkpoints/` and the chosen one as `best`.
///
/// # Errors
/// When training fails or diverges.
pub fn finetune(
    session: &Session,
    run: &mut Run<'_>,
    before: &Model,
    material: &Material<'_>,
    lr: Option<f64>,
) -> Result<Repaired, Error> {
    run.stage("finetune", |run| {
        let (mut settings, mut matching) = (session.config.finetune.clone(), session.config.matching.clone());
        settings.lr = lr.unwrap_or(settings.lr);
        matching.lr = lr.unwrap_or(matching.lr);
        // the state on disk belongs to exactly these settings and these labels
        let content =
            (&settings, &matching, material.labels.iter().collect::<Vec<_>>(), material.tau, &session.config.method);
        let key = parameters(session.training_key("finetune", 2)?, &content)?.fingerprint().to_string();
        let model = before.duplicate()?;
        let Lesson { mut objective, optimizer, schedule, epochs } = lesson(session, material, lr)?;
        let mut optimizer = optimizer.build();
        let layout = run.dir.layout().clone();
        let state_file = layout.checkpoint("state");
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
        let mut observer = ProgressObserver::new(run, "finetune", epochs)
            .saving(|epoch, model| Ok(save_checkpoint(&epoch_file(epoch), model, &session.meta, false)?));
        let outcome = fit.run(&mut *objective, &mut observer);
        observer.finish()?;
        let epochs = match outcome {
            Ok(FitOutcome { verdict: Verdict::RollBack, .. }) => {
                return Err(Error::Refused("training was rolled back by a guard".to_owned()));
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
        if session.config.guard.on && !epochs.is_empty() {
            let mut guard = Guard::new(session, before)?;
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
        Ok((Repaired { model, epoch, epochs, least_entropy }, cost))
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
