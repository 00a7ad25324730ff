use super::{Assignment, Design, Family, MakeProblem, calibrate, design};
use crate::{
    ArenaError, Entries,
    problems::{Supervised, Words},
};
use std::{fs, path::Path, sync::Arc};

/// Target on the generated text: a first guess, to be replaced by what `arena calibrate language` finds.
const TARGET: f64 = 1.8;
/// Width of the net and number of its LSTM layers on a text.
const NET: (usize, usize) = (64, 1);
/// Passes that the baseline is given.
const EPOCHS: f64 = 12.0;
/// Sequences per batch.
const BATCH: usize = 32;

/// The task `language`: two layers of LSTM on generated text, or one on the words of a text file, `WikiText` for instance.
/// The target on a file is what the baseline reaches ([`calibrate`]).
///
/// # Errors
/// When the file is no text or too short, or the baseline does not learn it reliably.
pub fn language(text: Option<&Path>, entries: &Entries, baseline: &str) -> Result<Vec<Assignment>, ArenaError> {
    let Some(path) = text else {
        let design = Design { depth: 1, data_seed: 1, ..Design::sample(Family::ChainLm) };
        return Ok(vec![Assignment::designed("language", &design, TARGET)?]);
    };
    let content = fs::read(path).map_err(|e| ArenaError::io("read", path, e))?;
    let format = |why: String| ArenaError::Format { path: path.to_owned(), why };
    let content = String::from_utf8(content).map_err(|_| format("is no UTF-8 text".to_owned()))?;
    let words = Words::of(&content);
    let splits = words
        .splits()
        .ok_or_else(|| format(format!("has {} words, too few to split", content.split_whitespace().count())))?;
    let splits = Arc::new(splits);
    let symbols = words.symbols();
    let epoch = splits.train.len() as f64 + splits.target.len() as f64 / 3.0;
    let make: MakeProblem = {
        let splits = splits.clone();
        Arc::new(move || {
            let net = design::language(Vec::new(), (symbols, Words::STEPS), NET.0, NET.1);
            Ok(Box::new(Supervised::new(net, splits.clone(), BATCH)))
        })
    };
    let about = format!("LSTM on {} words of {}, {symbols} different", words.len(), path.display());
    let mut task = Assignment::new("language", about, f64::NEG_INFINITY, (EPOCHS * epoch).round(), make);
    task.target = calibrate(&task, entries, baseline)?.target;
    // the referee's process alone reads it, and only once: guarded so that a change is found
    task.files = vec![fs::canonicalize(path).map_err(|e| ArenaError::io("read", path, e))?];
    Ok(vec![task])
}
