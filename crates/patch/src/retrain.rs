use crate::{
    Cases, Change, FineTune, Head, HeadEvaluator, Objective, PatchError, Precision, Samples, Search, Space, Sweep,
    evaluate_whole, fine_tune,
};
use hybridrepair_core::{ClassId, Stream};

/// Weights of the squared distance that are tried.
const DECAYS: [f64; 4] = [0.01, 0.1, 1.0, 10.0];
/// Every so many samples one judges them.
const HELD: usize = 5;

/// The last layer trained on all samples alike, then its threshold moved: what a moved threshold does to a better layer.
///
/// A weight of the wrong samples bends the whole layer towards them, and most of what that brings is a moved threshold. Here
/// the two are apart: likelihood trains the layer, held near its values by as much as a fifth of the samples says, and the
/// bias of the class alone is swept for the objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retrain {
    /// Steps, rate and number of weights; the distance is found, and every sample counts alike.
    pub fit: FineTune,
    /// Biases that are tried.
    pub steps: usize,
}

/// What a retraining works on.
pub(crate) struct RetrainCase<'a> {
    pub(crate) head: &'a Head,
    pub(crate) precision: Precision,
    pub(crate) samples: &'a Samples,
    pub(crate) cases: &'a Cases,
    pub(crate) class: ClassId,
    pub(crate) objective: &'a Objective,
    pub(crate) protected: &'a [ClassId],
}

/// All weights and biases of the layer, as changes.
pub(crate) fn retrain(case: &RetrainCase<'_>, settings: &Retrain, rng: &mut Stream) -> Result<Vec<Change>, PatchError> {
    let RetrainCase { head, samples, cases, .. } = *case;
    let split = |rows: &[usize], held: bool| {
        let of = |(i, _): &(usize, &usize)| (i % HELD == 0) == held;
        rows.iter().enumerate().filter(of).map(|(_, &row)| row).collect::<Vec<_>>()
    };
    let side = |held| Cases { negatives: split(&cases.negatives, held), positives: split(&cases.positives, held) };
    let (fit, held) = (side(false), side(true));
    let mut best = (f64::INFINITY, DECAYS[0]);
    for decay in DECAYS {
        let changes = fine_tune(head, samples, &fit, &FineTune { lambda: None, decay, ..settings.fit })?;
        let logits = head.patched(&changes)?.logits(samples.features.view())?;
        let e = evaluate_whole(&logits, &samples.labels, &held, &[]);
        let loss = e.loss_neg * held.negatives.len() as f64 + e.loss_pos * held.positives.len() as f64;
        if loss < best.0 {
            best = (loss, decay);
        }
    }
    let mut changes = fine_tune(head, samples, cases, &FineTune { lambda: None, decay: best.1, ..settings.fit })?;
    for change in &mut changes {
        change.new = case.precision.round(change.new);
    }
    let trained = head.patched(&changes)?;
    let bias = head.weight_ref(case.class.column(), None);
    let weights = std::slice::from_ref(&bias);
    let judge = HeadEvaluator::new(&trained, samples, cases, weights, case.precision, case.protected)?;
    let logits = trained.logits(samples.features.view())?;
    let spread = logits.iter().fold(0f32, |m, z| m.max(z.abs()));
    let space = Space::of_head(&trained, weights, f64::from(spread))?;
    let swept = Sweep { steps: settings.steps }.run(&judge, &space, case.objective, rng)?.values[0];
    match changes.iter_mut().find(|c| c.weight == bias) {
        Some(change) => change.new = case.precision.round(swept),
        None => changes.push(Change { old: head.value(&bias)?, new: case.precision.round(swept), weight: bias }),
    }
    Ok(changes)
}
