use super::cached::{Images, cached};
use crate::{
    Error, Run, Session,
    arrays::{read_array, write_array},
    session::parameters,
};
use hybridrepair_core::{Evidence, Views};
use hybridrepair_torch::predict_views;

/// Test-time augmentation of the field pool: mean prediction, entropy and variance over the views.
///
/// # Errors
/// When libtorch fails or the model gives NaN.
pub fn score(session: &Session, run: &mut Run<'_>, evidence: &mut Evidence) -> Result<(), Error> {
    run.stage("score", |run| {
        let settings = session.config.finetune.consistency.clone().unwrap_or_default();
        let views = (settings.views, settings.severity, settings.max_depth, session.config.seed);
        let key = parameters(session.key("views", 1), &views)?;
        let (views, cost) = cached(
            session,
            run,
            &key,
            |_, folder| {
                let rows = (0..session.pool.len()).collect::<Vec<_>>();
                let pass = predict_views(&session.model, &session.probe()?, session.size(), &rows)?;
                write_array(&folder.join("mean_probs.npy"), &pass.views.mean_probs.view().to_owned())?;
                write_array(&folder.join("variance.npy"), &pass.views.variance)?;
                Ok(Images { trained: 0, forward: pass.images_forward })
            },
            |folder| {
                let mean = read_array(&folder.join("mean_probs.npy"))?;
                Ok(Views::from_moments(mean, read_array(&folder.join("variance.npy"))?)?)
            },
        )?;
        evidence.views = Some(views);
        Ok(((), cost))
    })
}
