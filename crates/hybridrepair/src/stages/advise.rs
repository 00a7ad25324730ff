use super::{
    Behind,
    cached::{Images, cached},
};
use crate::{
    Error, Run, Session,
    advice::foretell,
    arrays::{read_array, write_array},
    run::Cost,
};
use hybridrepair_core::{Evidence, Probs};
use hybridrepair_runs::{Advice, write_json};
use hybridrepair_torch::predict;

/// Says what the labels that are about to be bought will gain, and writes it to `advice.json`. What was said stays when the run
/// goes on, and nothing in the run depends on it.
///
/// # Errors
/// When libtorch fails, the model gives NaN, or the file cannot be written.
pub fn advise(session: &Session, run: &mut Run<'_>, evidence: &Evidence, behind: Option<&Behind>) -> Result<(), Error> {
    run.stage("advise", |run| {
        let path = run.dir.layout().advice();
        let (source, cost) = match behind {
            // the frozen trunk has seen the validation split
            Some(behind) => (Some(Probs::new(behind.trunk.probs(&session.model, &behind.val))?), Cost::default()),
            None if session.held_out => {
                let (source, cost) = held_out(session, run)?;
                (Some(source), cost)
            }
            None => (None, Cost::default()),
        };
        let source = source.filter(|_| session.held_out);
        let advice = if let Some(told) = Advice::of(run.dir.layout()) {
            told
        } else {
            let beside = run.dir.path().parent().map(std::path::Path::to_owned);
            let advice = foretell(session, source.as_ref(), evidence.probs.as_ref(), beside, Some(run.dir.path()))?;
            write_json(&path, &advice)?;
            advice
        };
        // people read it where they read what they are asked
        if !session.asks_people() {
            run.progress.say("before labels are bought:");
            for line in advice.words() {
                run.progress.say(&format!("  {line}"));
            }
        }
        Ok(((), cost))
    })
}

/// Predictions of the deployed model on the validation split.
fn held_out(session: &Session, run: &mut Run<'_>) -> Result<(Probs, Cost), Error> {
    let images = &session.splits.val.images;
    cached(
        session,
        run,
        &session.key("predict-val", 1),
        |_, folder| {
            let out = predict(&session.model, images, &session.normalizer)?;
            write_array(&folder.join("logits.npy"), &out.logits)?;
            Ok(Images { trained: 0, forward: images.len() as u64 })
        },
        |folder| Ok(Probs::from_logits(&read_array(&folder.join("logits.npy"))?)?),
    )
}
