use super::cached::{Images, cached};
use crate::{Error, Run, Session, observe::ProgressObserver, session::parameters};
use hybridrepair_finetune::{Replay, ReplayOnly};
use hybridrepair_torch::{Model, load_tensors, save_checkpoint};
use hybridrepair_train::{Fit, OptimSpec, Schedule};

impl Session {
    /// The source data as replay.
    pub fn replay(&self) -> Replay {
        Replay {
            source: self.splits.train.clone(),
            normalizer: self.normalizer.clone(),
            transform: self.config.data.transform(),
            shown: self.config.finetune.replay_transform,
            streams: self.streams,
        }
    }

    /// The optimiser of fine-tuning.
    pub fn optimizer(&self) -> OptimSpec {
        let f = &self.config.finetune;
        OptimSpec::Sgd { momentum: f.momentum, weight_decay: f.weight_decay, nesterov: false }
    }
}

/// The preliminary fine-tune on replayed source data: the "before" of every method, computed once per seed.
///
/// # Errors
/// When training fails.
pub fn replay(session: &Session, run: &mut Run<'_>) -> Result<Model, Error> {
    run.stage("replay", |run| {
        let f = &session.config.finetune;
        let key = session.training_key("replay", 1)?;
        let settings = (f.replay_epochs, f.lr, session.optimizer(), f.batch_size, f.replay_transform);
        let key = parameters(key, &settings)?;
        cached(
            session,
            run,
            &key,
            |run, folder| {
                let model = session.model.duplicate()?;
                let mut optimizer = session.optimizer().build();
                let mut objective = ReplayOnly::new(session.replay(), f.batch_size)?;
                let mut fit = Fit {
                    model: &model,
                    optimizer: &mut *optimizer,
                    schedule: Schedule::Constant { lr: f.lr },
                    epochs: f.replay_epochs,
                    streams: session.streams,
                    state_file: None,
                    key: String::new(),
                };
                let mut observer = ProgressObserver::new(run, "replay", f.replay_epochs);
                let outcome = fit.run(&mut objective, &mut observer)?;
                observer.finish()?;
                save_checkpoint(&folder.join("before.safetensors"), &model, &session.meta, false)?;
                let trained = outcome.epochs.iter().map(|e| e.images_trained).sum();
                let chosen = (f.replay_epochs * session.splits.train.images.len()) as u64;
                Ok(Images { trained, forward: chosen })
            },
            |folder| {
                // the weights alone: a TorchScript model may lie elsewhere than when this was kept
                let model = session.model.duplicate()?;
                model.params().restore(&load_tensors(&folder.join("before.safetensors"))?)?;
                Ok(model)
            },
        )
    })
}
