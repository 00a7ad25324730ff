//! Suite `repair`.

use super::lesson::{BOUGHT, EXAMPLES, JUDGES, RepairTask, SEEDS, repair_lesson};
use crate::Error;
use hybridrepair_arena::{ArenaError, Assignment, MakeProblem};
use hybridrepair_arena_torch::{Judged, Lesson, PictureProblem, Start};
use hybridrepair_torch::{Runtime, TorchError, peek_checkpoint};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// Name of the suite; its tasks are `repair-s0` and so on.
pub const REPAIR: &str = "repair";

/// Targets of the tasks: what `arena calibrate TASK` finds.
const TARGETS: [f64; SEEDS] = [0.398, 0.386, 0.384];
/// Passes that the baseline is given: as many as preset `default` makes around the field pool, without the recipe of `signs`.
const EPOCHS: f64 = 12.0;

/// Fine-tuning of a deployed model on bought, guessed and source pictures, one task per seed of labels
/// ([`repair_lesson`] says what they learn from). A task is made when its first run begins.
///
/// # Errors
/// When there is no such checkpoint.
pub fn repair_suite(checkpoint: &Path, runtime: Runtime) -> Result<Vec<Assignment>, Error> {
    peek_checkpoint(checkpoint)?;
    // a process of an entry has another working folder, and what it changes must be found
    let checkpoint =
        fs::canonicalize(checkpoint).map_err(|source| TorchError::Io { path: checkpoint.to_owned(), source })?;
    Ok((0..SEEDS).map(|seed| task(&checkpoint, seed, runtime)).collect())
}

fn task(checkpoint: &Path, seed: usize, runtime: Runtime) -> Assignment {
    let made: OnceLock<Material> = OnceLock::new();
    let path: PathBuf = checkpoint.to_owned();
    let device = runtime.device;
    let make: MakeProblem = Arc::new(move || {
        let material = if let Some(material) = made.get() {
            material.clone()
        } else {
            // no lock: it is made on threads that would wait for each other, and what comes first stays
            let material = repair_lesson(&path, seed, device).map_err(|e| ArenaError::Model(e.into()))?;
            made.get_or_init(|| material.into()).clone()
        };
        let Material { lesson, target, holdout } = material;
        let start = Start::Checkpoint(path.clone());
        Ok(Box::new(PictureProblem::new(&start, lesson, target, holdout, device)?))
    });
    let about = format!(
        "signs-mobilenet-w025 fine-tuned for the field of signs: {BOUGHT} labels bought by unsmooth_coverage, confident \
         guesses, replay; seed {seed}, {}",
        runtime.device_name()
    );
    // a pass and a probe
    let epoch = EXAMPLES as f64 + (JUDGES / 2) as f64 / 3.0;
    let mut task = Assignment::new(format!("{REPAIR}-s{seed}"), about, TARGETS[seed], (EPOCHS * epoch).round(), make);
    task.files = vec![checkpoint.to_owned()];
    task
}

/// What a task is made of, shared by its runs.
#[derive(Clone)]
struct Material {
    lesson: Arc<Lesson>,
    target: Arc<Judged>,
    holdout: Arc<Judged>,
}

impl From<RepairTask> for Material {
    fn from(RepairTask { lesson, target, holdout }: RepairTask) -> Self {
        Self { lesson: Arc::new(lesson), target: Arc::new(target), holdout: Arc::new(holdout) }
    }
}
