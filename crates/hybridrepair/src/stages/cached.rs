use crate::{Error, Run, Session, run::Cost};
use hybridrepair_runs::{StageKey, read_json, write_json};
use serde::{Deserialize, Serialize};
use std::{path::Path, time::Instant};

/// What a stage cost when it was computed, kept beside its result.
#[derive(Serialize, Deserialize)]
struct Paid {
    seconds: f64,
    images_trained: u64,
    images_forward: u64,
}

/// Pictures that a computation trained on and predicted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Images {
    pub(super) trained: u64,
    pub(super) forward: u64,
}

/// Computes a stage into a folder of the cache, or finds it there; then reads the result.
pub(super) fn cached<T>(
    session: &Session,
    run: &mut Run<'_>,
    key: &StageKey,
    compute: impl FnOnce(&mut Run<'_>, &Path) -> Result<Images, Error>,
    read: impl FnOnce(&Path) -> Result<T, Error>,
) -> Result<(T, Cost), Error> {
    const COST: &str = "cost.json";
    let (folder, cached) = session.cache.get_or_store(key, |folder| {
        let began = Instant::now();
        let images = compute(run, folder)?;
        let seconds = began.elapsed().as_secs_f64();
        let paid = Paid { seconds, images_trained: images.trained, images_forward: images.forward };
        Ok::<_, Error>(write_json(&folder.join(COST), &paid)?)
    })?;
    let paid: Paid = read_json(&folder.join(COST))?;
    let cost = Cost {
        cached,
        seconds: Some(paid.seconds),
        images_trained: paid.images_trained,
        images_forward: paid.images_forward,
    };
    Ok((read(&folder)?, cost))
}
